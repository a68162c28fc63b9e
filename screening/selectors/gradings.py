"""Gradings, and whether a user may see the model's grade."""

import uuid
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.db.models import BooleanField, Case, Exists, F, Model, OuterRef, Q, QuerySet, Value, When
from django.shortcuts import get_object_or_404

from screening.access import Action, allowed_sites, restrict, site_ids_for
from screening.held_roles import held_roles
from screening.models import FirstReading, Grading, Review, Site, User
from screening.policy.exam_states import ExamState
from screening.request_facts import once_in_request
from screening.selectors.drafts import is_late_reader
from screening.selectors.readings import reads_second

M = TypeVar("M", bound=Model)


def reads_blind(user: User, *, site: str = "site") -> Q:
    """Whether the model's grade is hidden from ``user`` at first; ``site``: path from a row to its site, or empty.

    So it is for a reviewer at a blind-first site, and for a photographer at a site that shows photographers the quality
    alone (``Site.hides_grades_from_photographers``).
    """
    path, is_in = (f"{site}__", f"{site}__in") if site else ("", "pk__in")
    is_blind_first = Q(**{f"{path}reading_mode": Site.ReadingMode.BLIND_FIRST})
    is_as_usual = Q(**{f"{path}photographers_see_grades__isnull": True})
    shows_quality_only = Q(**{f"{path}photographers_see_grades": False}) | (is_as_usual & is_blind_first)
    is_reviewer = Q(**{is_in: site_ids_for(user, Action.REVIEW_EXAM)})
    sees_grades = Q(**{is_in: site_ids_for(user, Action.VIEW_GRADE)})
    return (is_blind_first & is_reviewer) | (shows_quality_only & ~sees_grades)


@dataclass(frozen=True, slots=True)
class SiteView:
    """How a user sees the exams of a site: whether blind, and whether with the person. ``is_blind_first``: its mode."""

    is_blind: bool
    sees_identity: bool
    is_blind_first: bool


def list_site_views(user: User) -> dict[uuid.UUID, SiteView]:
    """How ``user`` sees the exams of each site whose exams the user may look at, by the id of the site.

    One query; none if a request that only reads has read the roles.
    """
    return once_in_request(("site views", user.pk), lambda: _load_site_views(user))


def _load_site_views(user: User) -> dict[uuid.UUID, SiteView]:
    """NB: as ``reads_blind``, of roles that are read already."""
    held = held_roles(user.pk)
    actions = (Action.VIEW_CASE, Action.VIEW_PATIENT, Action.REVIEW_EXAM, Action.VIEW_GRADE)
    shown, with_person, reviewed, with_grade = (allowed_sites(user, held, action) for action in actions)
    views = {}
    for one in held:
        if (site := one.site_id) not in shown:
            continue
        sees_grades = one.photographers_see_grades
        shows_quality_only = one.is_blind_first if sees_grades is None else not sees_grades
        is_blind = (one.is_blind_first and site in reviewed) or (shows_quality_only and site not in with_grade)
        views[site] = SiteView(is_blind, site in with_person, one.is_blind_first)
    return views


def with_is_revealed(rows: QuerySet[M], user: User, *, exam: str = "") -> QuerySet[M]:
    """Annotate ``is_revealed``: whether ``user`` may see the model's grade and its suspicion of macular oedema.

    ``exam`` is the path from a row to its exam; empty if the rows are exams.
    At a blind-first site a reviewer sees it after reading each eye, or once the exam is signed; one who was reading
    when a colleague signed sees it after storing own findings. The second reader sees it after reading each eye at
    every site. A photographer who sees the quality alone sees it
    once the exam is signed.
    """
    site, pk = (f"{exam}__site", exam) if exam else ("site", "pk")
    current = {"exam": OuterRef(pk), "reading_round": OuterRef(f"{exam}__reading_round" if exam else "reading_round")}
    is_signed = Exists(Review.objects.filter(**current))
    is_read = Exists(FirstReading.objects.filter(**current, reviewer=user, is_blind_complete=True))
    is_hidden = reads_blind(user, site=site) & ~is_read & (~is_signed | is_late_reader(user, exam=pk))
    is_hidden |= reads_second(user, exam=exam) & ~Q(is_read)
    hidden = When(is_hidden, then=Value(False))  # noqa: FBT003
    is_revealed = Case(hidden, default=Value(True), output_field=BooleanField())  # noqa: FBT003
    return cast("QuerySet[M]", rows.annotate(is_revealed=is_revealed))


def hidden_from(rows: QuerySet[M], user: User, *, exam: str = "") -> QuerySet[M]:
    """The rows whose model's result ``user`` may not see yet; ``exam`` as for ``with_is_revealed``."""
    annotated: QuerySet[Any] = with_is_revealed(rows, user, exam=exam)
    return cast("QuerySet[M]", annotated.filter(is_revealed=False))


def unread_by(rows: QuerySet[M], user: User, *, exam: str = "") -> QuerySet[M]:
    """The rows of exams that ``user`` reads blind and has yet to read; ``exam`` as for ``with_is_revealed``."""
    site, sites = f"{exam}__site" if exam else "site", site_ids_for(user, Action.REVIEW_EXAM)
    if sites == []:
        return rows.none()  # the query would find none, and takes some milliseconds to build
    return hidden_from(rows, user, exam=exam).filter(**{f"{site}__in": sites})


def list_gradings(*, user: User) -> QuerySet[Grading]:
    """Gradings of the user's sites, newest first, with ``image``, ``is_revealed`` and ``exam_id``."""
    gradings = restrict(Grading.objects.select_related("image", "threshold"), user)
    gradings = with_is_revealed(gradings, user, exam="image__exam")
    return gradings.annotate(exam_id=F("image__exam_id")).order_by("-created_at", "pk")


def get_revealed_grading(*, user: User, grading_id: uuid.UUID) -> Grading:
    """A grading of the user's sites with its heatmaps and ``is_revealed``. Raises Http404.

    Programs poll it, and the rule of ``with_is_revealed`` takes long to build: only what state and site leave open asks
    for it.
    """
    is_blind = Case(When(reads_blind(user, site="image__exam__site"), then=Value(True)), default=Value(False))  # noqa: FBT003
    rows = restrict(Grading.objects.select_related("image__exam__site", "threshold", "stored_heatmap"), user)
    grading = get_object_or_404(rows.annotate(is_blind=is_blind), pk=grading_id)
    exam, blind = grading.image.exam, grading.is_blind  # type: ignore[attr-defined]  # annotated
    if exam.status == ExamState.SECOND_READING or (blind and not exam.is_open):
        return get_object_or_404(list_gradings(user=user).select_related("stored_heatmap"), pk=grading_id)
    # While an exam is open, no one has read it in its round: who reads it blind may not see the grade.
    grading.is_revealed, grading.exam_id = not blind, exam.pk  # type: ignore[attr-defined]
    return grading

"""Teaching sets, their exams, and how far a reader has come."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.shortcuts import get_object_or_404

from screening.access import Action, restrict, sites_for
from screening.models import (
    FirstReading,
    FundusImage,
    Grading,
    Review,
    Site,
    TeachingCase,
    TeachingCertificate,
    TeachingReading,
    TeachingSet,
    User,
)
from screening.models.gradings import current_first
from screening.policy.exam_states import ExamState
from screening.selectors.exams import ImageWithGrading
from screening.selectors.reviews import IN_FORCE

_IS_PRESENT = Q(to_version__isnull=True)
USED, AMENDED, NOT_VALID, ERASED = "used", "amended", "not_valid", "erased"
"""States of an exam of a set: only the first one is read and counted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many exams of a set its reader has to read, and has read. ``next_case`` is None after the last one."""

    n_cases: int
    n_read: int
    next_case: TeachingCase | None

    @property
    def is_complete(self) -> bool:
        """Whether each exam is read, and there is one."""
        return self.n_cases > 0 and self.next_case is None


def list_teaching_sets(*, user: User) -> QuerySet[TeachingSet]:
    """Sets of the user's sites by name, those in use first, with ``n_cases`` and ``n_read``, the user's. One query."""
    sets = restrict(TeachingSet.objects.select_related("site", "created_by"), user, Action.VIEW_TEACHING_SET)
    present = Q(cases__to_version__isnull=True)
    read = present & Q(cases__readings__reader=user)
    counts = {
        "n_cases": Count("cases", filter=present, distinct=True),
        "n_read": Count("cases", filter=read, distinct=True),
    }
    is_archived = Case(When(archived_at__isnull=True, then=Value("0")), default=Value("1"), output_field=CharField())
    return sets.annotate(**counts).order_by(is_archived, "name", "pk")


def get_teaching_set(*, user: User, set_id: uuid.UUID) -> TeachingSet:
    """A set of the user's sites. Raises Http404."""
    return get_object_or_404(list_teaching_sets(user=user), pk=set_id)


def list_managed_sets(*, user: User, site: Site) -> QuerySet[TeachingSet]:
    """The sets of a site to which ``user`` may add exams."""
    sets = restrict(TeachingSet.objects.filter(site=site, archived_at__isnull=True), user, Action.MANAGE_SITE)
    return sets.order_by("name", "pk")


def list_cases(teaching_set: TeachingSet) -> QuerySet[TeachingCase]:
    """The exams of the present version in their order, with ``state``."""
    return with_state(TeachingCase.objects.filter(_IS_PRESENT, teaching_set=teaching_set)).order_by("number", "pk")


def with_state(cases: QuerySet[TeachingCase]) -> QuerySet[TeachingCase]:
    """Annotate ``state``: whether the exam is used, or why it is not used any more."""
    review = Review.objects.filter(pk=OuterRef("review"))
    is_valid = Exists(review.filter(IN_FORCE, exam__status=ExamState.SIGNED))
    state = Case(
        When(Q(exam__isnull=True) | Q(review__isnull=True), then=Value(ERASED)),
        When(is_valid, then=Value(USED)),
        When(Exists(review.filter(amendments__isnull=False)), then=Value(AMENDED)),
        default=Value(NOT_VALID),
        output_field=CharField(),
    )
    return cases.annotate(state=state)


def cases_to_read(teaching_set: TeachingSet, user: User) -> QuerySet[TeachingCase]:
    """The exams that ``user`` reads: those in use that the user has neither read nor signed in the clinic."""
    own_reading = FirstReading.objects.filter(exam=OuterRef("exam"), reviewer=user)
    own_review = Review.objects.filter(exam=OuterRef("exam"), reviewer=user)
    cases: Any = list_cases(teaching_set)  # annotated
    read: QuerySet[TeachingCase] = cases.filter(~Exists(own_reading), ~Exists(own_review), state=USED)
    return read


def get_progress(teaching_set: TeachingSet, user: User) -> Progress:
    """How far ``user`` has come. Two queries."""
    cases = cases_to_read(teaching_set, user)
    is_read = Exists(TeachingReading.objects.filter(case=OuterRef("pk"), reader=user))
    flags = list(cases.annotate(is_read=is_read).values_list("is_read", flat=True))
    following = cases.filter(~is_read).first() if False in flags else None
    return Progress(n_cases=len(flags), n_read=sum(flags), next_case=following)


def get_case_to_read(*, user: User, case_id: uuid.UUID) -> TeachingCase:
    """An exam of a set that ``user`` may read, with set, site and exam. Raises Http404."""
    cases = TeachingCase.objects.select_related("teaching_set__site", "exam")
    case = get_object_or_404(restrict(cases, user, Action.READ_TEACHING_SET), pk=case_id)
    get_object_or_404(cases_to_read(case.teaching_set, user), pk=case_id)
    return case


def get_managed_case(*, user: User, case_id: uuid.UUID) -> TeachingCase:
    """An exam of a set of a site that ``user`` sees, to remove it. Raises Http404."""
    cases = TeachingCase.objects.select_related("teaching_set__site")
    return get_object_or_404(restrict(cases, user, Action.VIEW_TEACHING_SET), pk=case_id)


def photos_of_case(case: TeachingCase) -> list[ImageWithGrading]:
    """The photographs in use of an exam, with the grading that has their quality, oldest first."""
    images = FundusImage.objects.filter(exam=case.exam_id, withdrawn_at__isnull=True).order_by("created_at", "pk")
    gradings = Prefetch("gradings", current_first(Grading.objects.all()))
    loaded = images.select_related("exam").prefetch_related(gradings)
    return [ImageWithGrading(image, next(iter(image.gradings.all()), None)) for image in loaded]


def own_readings(case: TeachingCase, user: User) -> Sequence[TeachingReading]:
    """What ``user`` found in each eye; empty if the exam is not read yet."""
    return list(TeachingReading.objects.filter(case=case, reader=user).order_by("laterality"))


def signed_review(case: TeachingCase) -> Review | None:
    """What was signed, with findings and marks; None if it was erased."""
    return Review.objects.filter(teaching_cases=case).prefetch_related("findings__marks").first()


def list_certificates(*, user: User) -> QuerySet[TeachingCertificate]:
    """The user's own certificates and those of the sites that the user manages, newest first."""
    rows = TeachingCertificate.objects.select_related("teaching_set__site", "reader")
    is_shown = Q(reader=user) | Q(teaching_set__site__in=sites_for(user, Action.MANAGE_SITE))
    return restrict(rows, user, Action.VIEW_TEACHING_SET).filter(is_shown).order_by("-created_at", "pk")

"""What a user may see of the worklist: no rank or band that follows from a grade, and no order by hidden names."""

import uuid
from collections.abc import Mapping

from django.db.models import Case, CharField, F, IntegerField, Q, QuerySet, Value, When

from screening.models import Exam
from screening.policy import ExamQuality, WorklistBand, WorklistRank
from screening.policy.exam_states import ExamState
from screening.selectors.gradings import SiteView
from screening.selectors.identities import has_writing
from screening.selectors.worklist_filters import WorklistState

SiteViews = Mapping[uuid.UUID, SiteView]
"""How the user sees the exams of each site (``selectors.gradings.list_site_views``)."""


def of_sites(views: SiteViews) -> QuerySet[Exam]:
    """Exams of the user's sites; of sites that hide people only those that wait and may be read (``identities``)."""
    exams, hidden = Exam.objects.filter(site__in=list(views)), sites_without_people(views)
    if not hidden:
        return exams
    is_readable = WorklistState.WAITING.exams & ~Q(has_writing())
    return exams.filter(~Q(site__in=hidden) | is_readable)


def sites_without_people(views: SiteViews) -> list[uuid.UUID]:
    """Sites whose exams the user sees without the person."""
    return [site for site, view in views.items() if not view.sees_identity]


def by_patient(exams: QuerySet[Exam], views: SiteViews) -> QuerySet[Exam]:
    """The exams in the order of names and numbers; those of hidden people first, in the order of their opening."""
    hidden, names = sites_without_people(views), ("patient__folded_name", "patient__mrn")
    if not hidden:
        return exams.order_by(*names, "created_at", "pk")
    is_hidden = Q(site__in=hidden)
    shown = [Case(When(is_hidden, then=Value("")), default=F(name), output_field=CharField()) for name in names]
    return exams.order_by(*shown, "created_at", "pk")


def masked_rank(views: SiteViews) -> Case:
    """The rank of an exam; for a blind reader that of its quality, so that neither list nor count reveals a grade.

    An exam that waits for a second reader is read blind at every site.
    """
    is_hidden = Q(site__in=_blind(views)) | Q(status=ExamState.SECOND_READING)
    by_quality = [When(is_hidden & Q(quality=one), then=Value(rank.value)) for one, rank in _RANKS.items()]
    hidden = When(is_hidden, then=Value(WorklistRank.ROUTINE.value))
    return Case(*by_quality, hidden, default=F("worklist_rank"), output_field=IntegerField())


_RANKS = {ExamQuality.UNGRADED: WorklistRank.UNGRADED, ExamQuality.PENDING: WorklistRank.PENDING}


def rank_by_quality(quality: str) -> WorklistRank:
    """The rank that a blind reader sees."""
    return _RANKS.get(ExamQuality(quality), WorklistRank.ROUTINE)


def is_hidden_at(view: SiteView, status: str) -> bool:
    """Whether the user reads an exam blind, of a site that the user sees so."""
    return view.is_blind or status == ExamState.SECOND_READING


def masked_band(views: SiteViews) -> Case:
    """The stored band; of an exam that the user reads blind, never one that follows from the model's rank.

    So it would be if the site hides the results from photographers alone, while the bands of a site whose reading mode
    changed are updated, and of exams that wait for a second reader at a site that is not blind-first.
    """
    blind_first = [site for site, view in views.items() if view.is_blind_first]
    is_neutral = Q(worklist_band=WorklistBand.BY_DUE_TIME)
    is_neutral |= Q(worklist_band=WorklistBand.PRIORITY, site__in=blind_first)
    is_hidden = Q(site__in=_blind(views)) | Q(status=ExamState.SECOND_READING)
    return Case(
        When(is_hidden & ~is_neutral, then=Value(WorklistBand.BY_DUE_TIME.value)),
        default=F("worklist_band"),
        output_field=IntegerField(),
    )


def is_neutral_band(view: SiteView, band: int) -> bool:
    """Whether a band does not follow from the model's rank: as ``masked_band``, of an exam of a site."""
    return band == WorklistBand.BY_DUE_TIME or (band == WorklistBand.PRIORITY and view.is_blind_first)


def _blind(views: SiteViews) -> list[uuid.UUID]:
    return [site for site, view in views.items() if view.is_blind]

"""Exams in the order in which a reviewer reads them."""

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from screening.access import restrict
from screening.models import Exam, FundusImage, User
from screening.selectors.gradings import list_site_views
from screening.selectors.patients import matching_ids
from screening.selectors.worklist_filters import WorklistFilters, WorklistSort, WorklistState, filtered
from screening.selectors.worklist_masks import (
    SiteViews,
    by_patient,
    masked_band,
    masked_rank,
    of_sites,
)
from screening.selectors.worklist_tally import tally

ALL = WorklistFilters()


def worklist(*, user: User, filters: WorklistFilters = ALL) -> QuerySet[Exam]:
    """Exams of the user's sites that match the filters, in the order of ``filters.sort``.

    Each exam has ``patient`` and ``site`` loaded, ``rank`` and ``n_images``, the number of its photographs in use.
    """
    views = list_site_views(user)
    exams = filtered(of_sites(views), filters, user).annotate(rank=masked_rank(views))
    if filters.rank is not None:
        exams = exams.filter(rank=filters.rank)
    images = FundusImage.objects.filter(exam=OuterRef("pk"), withdrawn_at__isnull=True)
    n_images = images.order_by().values("exam").annotate(n=Count("pk")).values("n")
    exams = exams.select_related("patient", "site", "lock__holder").annotate(n_images=Coalesce(Subquery(n_images), 0))
    return _ordered(exams, filters, user, views)


def search_worklist(*, user: User, filters: WorklistFilters, text: str) -> QuerySet[Exam]:
    """``worklist`` of the patients whom ``selectors.search_patients`` finds by ``text``; all if it is empty.

    A text finds no one whom the user may not see.
    """
    exams = worklist(user=user, filters=filters)
    return restrict(exams, user).filter(patient__in=matching_ids(text)) if text.strip() else exams


def _ordered(exams: QuerySet[Exam], filters: WorklistFilters, user: User, views: SiteViews) -> QuerySet[Exam]:
    """The exams in the order of ``filters.sort``; the last key is unique, so that pages do not overlap."""
    is_waiting = filters.state is WorklistState.WAITING
    if filters.sort is WorklistSort.PATIENT:
        return by_patient(exams, views)
    if filters.sort is WorklistSort.WAITING:
        return exams.order_by("submitted_at" if is_waiting else "created_at", "pk")
    if not is_waiting:
        return exams.order_by(F("returned_at").desc(nulls_last=True), "-created_at", "pk")
    if filters.sort is WorklistSort.DUE:
        return exams.order_by("due_at", "created_at", "pk")
    if tally(user).has_revealing_band:
        return exams.annotate(band=masked_band(views)).order_by("band", "due_at", "created_at", "pk")
    return exams.order_by("worklist_band", "due_at", "created_at", "pk")  # its index is exam_by_band

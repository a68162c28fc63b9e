"""Re-gradings of sites: progress, and what changed."""

import datetime
import uuid
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import Action, restrict
from screening.models import Exam, FundusImage, RegradedImage, Regrading, Site, User
from screening.selectors.gradings import with_is_revealed


def list_regradings(*, user: User, site: Site) -> QuerySet[Any]:
    """Those of a site that ``user`` manages, newest first, with ``n_done``."""
    rows = restrict(Regrading.objects.filter(site=site), user, Action.MANAGE_SITE)
    return with_progress(rows).select_related("created_by").order_by("-created_at", "id")


def with_progress(rows: QuerySet[Regrading]) -> QuerySet[Any]:
    """Annotate ``n_done``: how many photographs were graded, or failed."""
    return rows.annotate(n_done=Count("images", filter=Q(images__finished_at__isnull=False)))


def get_regrading(*, user: User, regrading_id: uuid.UUID) -> Any:
    """One with ``n_done``, of a site that ``user`` manages. Raises Http404."""
    rows = restrict(Regrading.objects.all(), user, Action.MANAGE_SITE)
    return get_object_or_404(with_progress(rows).select_related("site", "created_by"), pk=regrading_id)


def images_of_period(site: Site, from_on: datetime.date, to_on: datetime.date) -> QuerySet[FundusImage]:
    """Photographs in use of the exams of a period; days in the zone of the site."""
    midnight = datetime.time()
    begin = datetime.datetime.combine(from_on, midnight, site.zone)
    end = datetime.datetime.combine(to_on + datetime.timedelta(days=1), midnight, site.zone)
    rows = FundusImage.objects.filter(exam__site=site, withdrawn_at__isnull=True)
    return rows.filter(exam__created_at__gte=begin, exam__created_at__lt=end)


def grade_changes(
    regrading: Regrading,
) -> list[tuple[tuple[int | None, bool | None], tuple[int | None, bool | None], int]]:
    """Old and new (grade, is gradable) with the number of photographs, most frequent first. One query."""
    fields = ("old_grading__grade", "old_grading__is_gradable", "new_grading__grade", "new_grading__is_gradable")
    rows = RegradedImage.objects.filter(regrading=regrading, finished_at__isnull=False).order_by()
    counted = rows.values_list(*fields).annotate(n=Count("pk")).order_by("-n", *fields)
    return [((old, old_ok), (new, new_ok), n) for old, old_ok, new, new_ok, n in counted]


def changed_exams(regrading: Regrading, *, user: User) -> QuerySet[Any]:
    """Exams with a photograph whose referable status changed, newest first, with ``is_revealed``.

    NB: show those alone whose model's result ``user`` may see: ``is_revealed``.
    """
    changed = RegradedImage.objects.filter(
        regrading=regrading, image__exam=OuterRef("pk"), old_grading__isnull=False, new_grading__isnull=False
    ).exclude(old_grading__is_referable=F("new_grading__is_referable"))
    both = changed.filter(Q(old_grading__is_referable__isnull=False) | Q(new_grading__is_referable__isnull=False))
    rows = restrict(Exam.objects.filter(Exists(both)), user).select_related("patient", "site")
    return with_is_revealed(rows, user).order_by("-created_at", "pk")

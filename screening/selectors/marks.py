"""Marks on photographs, for training."""

from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from screening.models import Exam, LesionMark, Site

_SIGNED = Q(
    finding__review__amendments__isnull=True,
    finding__review__reading_round=F("finding__review__exam__reading_round"),
)
_FIRST = Q(
    first_reading__reading_round=F("first_reading__exam__reading_round"),
    first_reading__exam__status=Exam.Status.SIGNED.value,
)


def marks_for_training(*, sites: Iterable[Site], has_first_readings: bool = False) -> QuerySet[LesionMark]:
    """Marks of the reviews in force, photograph by photograph, without those on withdrawn photographs.

    ``has_first_readings``: also those of first readings of signed exams; another reader must not see them before.
    Sites are the caller's to restrict.
    """
    counting = Q(finding__isnull=False) & _SIGNED
    if has_first_readings:
        counting |= Q(first_reading__isnull=False) & _FIRST
    marks = LesionMark.objects.filter(counting, image__exam__site__in=list(sites), image__withdrawn_at__isnull=True)
    related = marks.select_related("image__exam", "finding__review", "first_reading")
    return related.order_by("image__created_at", "image_id", "first_reading_id", "finding_id", "number")

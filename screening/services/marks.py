"""Marks on photographs: their check against the exam, and the rows that are stored with a reading."""

from collections.abc import Iterable, Set
from uuid import UUID

from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.models import Exam, EyeFinding, FirstReading, FundusImage, LesionMark, ReadingEye, User
from screening.policy.marks import Mark
from screening.services.structured_findings import ReviewError


def require_own_photos(exam: Exam, eye: Laterality, marked: Set[UUID]) -> None:
    """Raises ReviewError unless each marked photograph is one of this eye that is in use in this exam."""
    if not marked:
        return
    in_use = FundusImage.objects.filter(exam=exam, laterality=eye, withdrawn_at__isnull=True, pk__in=marked)
    if in_use.count() != len(marked):
        raise ReviewError(
            _("A mark is on a photograph that is not of this eye and exam. Reload the page, then draw it again."), eye
        )


def store_marks(
    marks: Iterable[Mark],
    *,
    first_reading: FirstReading | None = None,
    finding: EyeFinding | None = None,
    reading_eye: ReadingEye | None = None,
    by: User,
) -> None:
    """Store the marks of one eye with its reading; the caller records the event of the reading."""
    LesionMark.objects.bulk_create(
        LesionMark(
            image_id=mark.image_id,
            first_reading=first_reading,
            finding=finding,
            reading_eye=reading_eye,
            author=by,
            number=number,
            kind=mark.kind.value,
            shape=mark.shape.value,
            points=[list(point) for point in mark.points],
            radius=mark.radius,
        )
        for number, mark in enumerate(marks, start=1)
    )

"""Attempts at a photograph of an eye in one visit."""

from collections import Counter
from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from ml.vocabulary import Laterality
from screening.models import Exam, FundusImage, Grading
from screening.models.gradings import current_first

_WRONG = (FundusImage.WithdrawnCode.WRONG_EYE, FundusImage.WithdrawnCode.WRONG_PATIENT)


def count_attempts(exam: Exam, *, ungradable_eyes: Collection[Laterality] = ()) -> dict[Laterality, int]:
    """Number of ungradable photographs of each eye, in the field that has most of them.

    Ungradable is a photograph by its current grading, one withdrawn for poor quality, and one in use of
    ``ungradable_eyes``, which the reviewer calls ungradable. Photographs that were withdrawn because they show another
    eye or patient do not count. One query.
    """
    current = current_first(Grading.objects.filter(image=OuterRef("pk"))).values("is_gradable")[:1]
    images = FundusImage.objects.filter(exam=exam).exclude(withdrawn_code__in=_WRONG).order_by()
    rows = images.annotate(is_gradable=Subquery(current))
    attempts: Counter[tuple[Laterality, str]] = Counter()
    for code, eye, field, is_gradable in rows.values_list("withdrawn_code", "laterality", "field", "is_gradable"):
        laterality = Laterality(eye)
        is_poor = code == FundusImage.WithdrawnCode.POOR_QUALITY or (not code and laterality in ungradable_eyes)
        attempts[laterality, field] += is_poor or is_gradable is False
    return {
        eye: max((number for (laterality, _), number in attempts.items() if laterality is eye), default=0)
        for eye in Laterality
    }

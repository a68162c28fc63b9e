"""The photographs of an eye on the review page, in the order in which they are offered."""

from collections.abc import Iterable

from ml.vocabulary import QualityLevel
from screening.models import FundusImage
from screening.selectors import ImageWithGrading

_QUALITY_ORDER = [QualityLevel.GOOD.value, QualityLevel.USABLE.value, "", QualityLevel.UNGRADABLE.value]
"""Best first; a photograph that is not assessed yet comes before an ungradable one."""
_FIELD_ORDER = [FundusImage.Field.MACULA, FundusImage.Field.DISC, FundusImage.Field.OTHER]


def best_first(images: Iterable[ImageWithGrading]) -> tuple[ImageWithGrading, ...]:
    """The photographs by quality, then by field (macula first), then by age (oldest first).

    NB: nothing of the grade counts, so that the order tells a blind reader nothing of it. Quality is shown to everyone.
    """
    return tuple(sorted(images, key=_rank))


def _rank(one: ImageWithGrading) -> tuple[int, int]:
    quality = one.grading.quality_level if one.grading is not None else ""
    return _QUALITY_ORDER.index(quality), _FIELD_ORDER.index(FundusImage.Field(one.image.field))

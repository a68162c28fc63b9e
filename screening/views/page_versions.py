"""The version of a review page: a code of what its reader grades, sent with the form."""

import hashlib
from collections.abc import Collection
from uuid import UUID

from screening.models import Exam
from screening.policy import GradingScale

Photos = Collection[tuple[str, UUID]]
"""Eye and id of each photograph, as ``list_photos_in_use`` orders them."""


def page_version(exam: Exam, photos: Photos, scale: GradingScale | None = None) -> str:
    """A code of the exam's photographs, reading round and ``scale`` (that of the site)."""
    facts = [*(f"{eye}:{image_id}" for eye, image_id in photos), str(exam.reading_round)]
    scale = scale or GradingScale(exam.site.scale)
    if scale is not GradingScale.ICDR:
        facts.append(scale)
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]


def is_of_other_scale(version: str, exam: Exam, photos: Photos) -> bool:
    """Whether a page with this version showed the same photographs and another grading scale than that of today."""
    return any(version == page_version(exam, photos, scale) for scale in GradingScale if scale != exam.site.scale)

"""The two halves of the exam page: what each eye's card shows, and what is said aloud when it changes."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality
from screening import policy
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS
from screening.labels.quality import advice_for
from screening.models import FundusImage, Grading
from screening.selectors import ExamDetail, EyeDetail

LATE_AFTER = timedelta(seconds=20)
"""A photograph is usually graded within seconds; after this the page says that it takes longer."""


@dataclass(frozen=True, slots=True)
class PhotoCard:
    """A photograph with its newest grading; ``is_late`` when that has been waiting unusually long."""

    image: FundusImage
    grading: Grading | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class EyeCard:
    """One eye. ``is_exhausted``: as many photographs as one visit asks for, and none can be graded; ``is_to_retake``:
    none can be graded yet, and another try is asked for."""

    laterality: Laterality
    absent_reason: str
    photos: tuple[PhotoCard, ...]
    is_exhausted: bool
    is_to_retake: bool

    @property
    def n_photos(self) -> int:
        return len(self.photos)


def build_eye_cards(exam_detail: ExamDetail) -> tuple[EyeCard, EyeCard]:
    """Right, then left."""
    right, left = (_eye_card(eye) for eye in exam_detail.eyes)
    return right, left


def _eye_card(eye: EyeDetail) -> EyeCard:
    late_before = timezone.now() - LATE_AFTER
    photos = tuple(
        PhotoCard(
            one.image,
            one.grading,
            is_late=one.grading is not None and one.grading.is_pending and one.grading.queued_at < late_before,
        )
        for one in eye.images
    )
    gradings = [one.grading for one in eye.images if one.grading is not None]
    is_hopeful = any(grading.is_pending or grading.is_gradable for grading in gradings)
    is_last_try_used = len(photos) >= policy.MAX_PHOTOS_PER_EYE
    return EyeCard(
        eye.laterality,
        eye.absent_reason,
        photos,
        is_exhausted=is_last_try_used and not is_hopeful,
        is_to_retake=bool(photos) and not is_last_try_used and not is_hopeful,
    )


def state_of(exam_detail: ExamDetail, cards: tuple[EyeCard, EyeCard]) -> str:
    """A short word that changes whenever the cards would look different: an unchanged page is not sent again."""
    parts = [exam_detail.exam.status]
    for eye in cards:
        parts.append(f"{eye.laterality}:{bool(eye.absent_reason)}")
        for photo in eye.photos:
            grading = photo.grading
            parts.append(f"{photo.image.pk}:{grading and (grading.pk, grading.status)}:{photo.is_late}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def spoken_status(cards: tuple[EyeCard, EyeCard], *, shows_model: bool) -> str:
    """What a screen reader says when the cards have changed."""
    n_pending = sum(
        1 for eye in cards for photo in eye.photos if photo.grading is not None and photo.grading.is_pending
    )
    texts = [_spoken_eye(eye, shows_model) for eye in cards if eye.photos]
    if n_pending:
        texts.append(
            ngettext("%(n)d photograph is being read.", "%(n)d photographs are being read.", n_pending)
            % {"n": n_pending}
        )
    return " ".join(message for message in texts if message)


def _spoken_eye(eye: EyeCard, shows_model: bool) -> str:
    grading = eye.photos[-1].grading
    name = EYE_LABELS[eye.laterality]
    if grading is None or grading.is_pending:
        return ""
    if grading.status == Grading.Status.FAILED:
        return _("%(eye)s: the model could not read the photograph.") % {"eye": name}
    if not grading.is_gradable:
        return _("%(eye)s: not gradable. %(problem)s") % {
            "eye": name,
            "problem": advice_for(grading.quality_reasons)[0].problem,
        }
    if not shows_model or grading.grade is None:
        return _("%(eye)s: gradable.") % {"eye": name}
    return _("%(eye)s: %(grade)s.") % {"eye": name, "grade": GRADE_LABELS[grading.grade]}


def missing_for_submit(cards: tuple[EyeCard, EyeCard]) -> list[str]:
    """What must be done before the exam can go to the reviewer."""
    return [
        _("%(eye)s: add a photograph, or record why the eye is absent.") % {"eye": EYE_LABELS[eye.laterality]}
        for eye in cards
        if not eye.photos and not eye.absent_reason
    ]

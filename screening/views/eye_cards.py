"""The two eye cards of the exam page, and the screen reader's announcement of a change."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality, QualityLevel
from screening import policy
from screening.forms import WithdrawForm
from screening.forms.eyes import AbsentEyeForm, NotPhotographedForm, UnobtainableForm
from screening.labels.eyes import EYE_LABELS
from screening.labels.observations import OTHER_EYE
from screening.labels.oedema import oedema_text
from screening.labels.quality import advice_for, limitation_of
from screening.models import Exam, FundusImage, Grading
from screening.models.images import required_fields
from screening.selectors import ExamDetail, EyeDetail, ImageWithGrading, count_attempts
from screening.templatetags.gradings import ResultState, grade_label, result_state

LATE_AFTER = timedelta(seconds=20)
"""A photograph is usually graded within seconds; after this the page shows that it takes longer."""


@dataclass(frozen=True, slots=True)
class PhotoCard:
    """A photograph with its newest grading. ``is_late``: the grading has been waiting longer than ``LATE_AFTER``."""

    image: FundusImage
    grading: Grading | None
    is_late: bool
    withdraw_form: WithdrawForm = field(compare=False)

    @property
    def is_refused(self) -> bool:
        return result_state(self.grading) is ResultState.UNGRADABLE


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of an eye: its photographs, newest first. ``refused``: ungradable ones that are not the newest."""

    laterality: Laterality
    field: FundusImage.Field
    is_required: bool
    shown: tuple[PhotoCard, ...]
    refused: tuple[PhotoCard, ...]

    @property
    def n_photos(self) -> int:
        return len(self.shown) + len(self.refused)

    @property
    def is_refused(self) -> bool:
        """Whether no photograph is gradable, or still being checked."""
        return bool(self.shown) and all(photo.is_refused for photo in self.shown)


@dataclass(frozen=True, slots=True)
class EyeCard:
    """One eye. No photograph is gradable or pending if ``is_retake_needed`` or ``is_unobtainable``: then another
    photograph is requested, or the maximum number of attempts is reached."""

    laterality: Laterality
    absent_reason: str
    not_photographed_reason: str
    unobtainable_text: str
    photos: tuple[PhotoCard, ...]
    slots: tuple[Slot, ...]
    n_attempts: int
    is_retake_needed: bool
    is_unobtainable: bool
    absent_form: AbsentEyeForm = field(compare=False)
    not_photographed_form: NotPhotographedForm = field(compare=False)
    unobtainable_form: UnobtainableForm = field(compare=False)

    @property
    def is_excused(self) -> bool:
        """Whether there is a reason why the eye has no photograph."""
        return bool(self.absent_reason or self.not_photographed_reason or self.unobtainable_text)

    @property
    def n_photos(self) -> int:
        return len(self.photos)

    @property
    def has_laterality_conflict(self) -> bool:
        return any(photo.grading.has_laterality_conflict for photo in self.photos if photo.grading)


def build_eye_cards(exam_detail: ExamDetail) -> tuple[EyeCard, EyeCard]:
    """The right and the left eye card."""
    n_attempts = count_attempts(exam_detail.exam)
    right, left = (_eye_card(exam_detail.exam, eye, n_attempts[eye.laterality]) for eye in exam_detail.eyes)
    return right, left


def _eye_card(exam: Exam, eye: EyeDetail, n_attempts: int) -> EyeCard:
    photos = tuple(_photo_card(one) for one in eye.images)
    states = {result_state(one.grading) for one in eye.images}
    is_hopeful = not states.isdisjoint({ResultState.QUEUED, ResultState.RUNNING, ResultState.GRADED})
    is_at_limit = n_attempts >= policy.MAX_ATTEMPTS
    return EyeCard(
        eye.laterality,
        eye.absent_reason,
        eye.not_photographed_reason,
        exam.unobtainable_text(eye.laterality),
        photos,
        _slots(exam, eye.laterality, photos),
        n_attempts=n_attempts,
        is_retake_needed=bool(eye.images) and not is_at_limit and not is_hopeful,
        is_unobtainable=is_at_limit and not is_hopeful,
        absent_form=AbsentEyeForm(auto_id=f"absent-{eye.laterality}-%s"),
        not_photographed_form=NotPhotographedForm(auto_id=f"not-photographed-{eye.laterality}-%s"),
        unobtainable_form=UnobtainableForm(auto_id=f"unobtainable-{eye.laterality}-%s"),
    )


def _slots(exam: Exam, eye: Laterality, photos: tuple[PhotoCard, ...]) -> tuple[Slot, ...]:
    """Macula and disc; other fields if there are photographs of them."""
    required = required_fields(exam.site)
    slots = []
    for one in FundusImage.Field:
        newest_first = [photo for photo in reversed(photos) if photo.image.field == one]
        if not newest_first and one is FundusImage.Field.OTHER:
            continue
        refused = tuple(photo for photo in newest_first[1:] if photo.is_refused)
        shown = tuple(photo for photo in newest_first if photo not in refused)
        slots.append(Slot(eye, one, one in required, shown, refused))
    return tuple(slots)


def _photo_card(one: ImageWithGrading) -> PhotoCard:
    grading = one.grading
    is_late = grading is not None and grading.is_pending and grading.queued_at < timezone.now() - LATE_AFTER
    return PhotoCard(one.image, grading, is_late, WithdrawForm(auto_id=f"withdraw-{one.image.pk}-%s"))


def cards_version(exam: Exam, cards: tuple[EyeCard, EyeCard]) -> str:
    """A hash of what the cards show: an unchanged page is not sent again."""
    facts = [exam.status]
    for eye in cards:
        reasons = [bool(one) for one in (eye.absent_reason, eye.not_photographed_reason, eye.unobtainable_text)]
        facts.append(f"{eye.laterality}:{reasons}:{eye.n_attempts}")
        for photo in eye.photos:
            grading = photo.grading
            facts.append(f"{photo.image.pk}:{grading and (grading.pk, grading.status)}:{photo.is_late}")
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:12]


def announcement(cards: tuple[EyeCard, EyeCard], *, shows_model: bool) -> str:
    """Text of the live region: the newest result of each eye, and how many photographs are being graded."""
    gradings = [photo.grading for eye in cards for photo in eye.photos]
    n_pending = sum(1 for grading in gradings if grading is not None and grading.is_pending)
    texts = [_eye_announcement(eye, shows_model=shows_model) for eye in cards if eye.photos]
    if n_pending:
        text = ngettext("%(n)d photograph is being graded.", "%(n)d photographs are being graded.", n_pending)
        texts.append(text % {"n": n_pending})
    return " ".join(filter(None, texts))


def _eye_announcement(eye: EyeCard, *, shows_model: bool) -> str:
    grading = eye.photos[-1].grading
    if grading is None:
        return ""
    is_usable = grading.quality_level == QualityLevel.USABLE
    text = {
        ResultState.FAILED: _("%(eye)s: the model could not grade the photograph."),
        ResultState.UNGRADABLE: _("%(eye)s: not gradable. %(problem)s"),
        ResultState.HIDDEN: _("%(eye)s: usable with limits. %(problem)s") if is_usable else _("%(eye)s: good quality."),
        ResultState.GRADED: _("%(eye)s: %(grade)s. %(limitation)s %(oedema)s"),
    }.get(result_state(grading, shows_model=shows_model), "")
    if grading.has_laterality_conflict:
        text += f" {OTHER_EYE}"
    filled = text % {
        "eye": EYE_LABELS[eye.laterality],
        "problem": advice_for(grading.quality_reasons)[0].problem,
        "grade": grade_label(grading.grade),
        "limitation": limitation_of(grading),
        "oedema": oedema_text(grading),
    }
    return " ".join(filled.split())

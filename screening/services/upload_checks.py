"""Questions and refusals before a photograph is stored: the same picture again, a doubtful date."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.labels.dates import day_text
from screening.labels.eyes import EYE_LABELS
from screening.labels.sentences import within_sentence
from screening.models import FundusImage
from screening.photos import writing
from screening.photos.validation import ValidPhoto
from screening.services import duplicates
from screening.services.duplicates import Content, Stored
from screening.services.exams import ExamError, check_length

OTHER_PATIENT, OLD_DATE, FUTURE_DATE = "other_patient", "capture_date_old", "capture_date_future"
WRITING = "writing_outside"
DICOM_PATIENT, DICOM_EYE = "dicom_other_patient", "dicom_other_eye"
ANSWERABLE = (OTHER_PATIENT, OLD_DATE, DICOM_PATIENT, DICOM_EYE)
"""Codes of the questions that can be confirmed. A date in the future can only be corrected."""


class PictureOfOtherEye(ExamError):
    """The exam has this picture for the other eye. ``image`` is that photograph."""

    def __init__(self, image: FundusImage) -> None:
        self.image = image
        eye = within_sentence(EYE_LABELS[Laterality(image.laterality)])
        super().__init__(
            _(
                "This photograph is already in this exam as the %(eye)s. One photograph cannot show both eyes: "
                "choose the photograph of this eye, or correct the eye of the one in the exam."
            )
            % {"eye": eye}
        )


class UploadQuestion(ExamError):
    """A question to answer before the photograph is stored. ``code`` is also its confirmation, if there is one."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class PictureOfOtherPatient(UploadQuestion):
    """A photograph of another patient of the site is the same picture. ``image`` is that photograph."""

    def __init__(self, image: FundusImage) -> None:
        self.image = image
        super().__init__(
            OTHER_PATIENT,
            _(
                "This photograph is already in the exam of another patient. Check that it shows this patient. "
                "If it does, confirm it with a reason."
            ),
        )


class WritingFound(UploadQuestion):
    """Something is written outside the retina. The uploader chooses: blank it, or keep it."""

    def __init__(self) -> None:
        super().__init__(
            WRITING,
            _(
                "Something is written in this photograph, outside the retina. It may name the patient. "
                "Blank it before the photograph is stored, or keep it."
            ),
        )


class DoubtfulCaptureDate(UploadQuestion):
    """The date of the photograph is in the future or more than a year ago. ``day`` is that date."""

    def __init__(self, code: str, day: datetime.date, *, is_from_file: bool) -> None:
        self.day = day
        message = {
            (FUTURE_DATE, True): _("The file says that the photograph was taken on %(day)s, which is in the future."),
            (FUTURE_DATE, False): _("The date of the photograph, %(day)s, is in the future."),
            (OLD_DATE, True): _("The file says that the photograph was taken on %(day)s, more than a year ago."),
            (OLD_DATE, False): _("The date of the photograph, %(day)s, is more than a year ago."),
        }[code, is_from_file]
        advice = _("Enter the right date.") if code == FUTURE_DATE else _("Enter the right date, or confirm this one.")
        super().__init__(code, f"{message % {'day': day_text(day)}} {advice}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the uploader has said: codes of confirmed questions, and the reason for a picture of another patient.

    ``is_bulk``: no user waits for the photograph.
    """

    confirmed: Collection[str] = ()
    reason: str = ""
    is_bulk: bool = False


NO_ANSWERS = Answers()


class OnWriting(StrEnum):
    """What to do with writing outside the retina. BLANK makes all outside the retina black."""

    QUESTION = "question"
    KEEP = "keep"
    BLANK = "blank"


def handle_writing(photo: ValidPhoto, on_writing: OnWriting) -> tuple[ValidPhoto, FundusImage.Writing]:
    """The photograph to store, and what was done with its writing. Raises WritingFound if that must be asked."""
    if not writing.has_writing(photo):
        return photo, FundusImage.Writing.NONE
    if on_writing is OnWriting.QUESTION:
        raise WritingFound
    if on_writing is OnWriting.KEEP:
        return photo, FundusImage.Writing.KEPT
    return writing.blanked(photo), FundusImage.Writing.BLANKED


def require_answers(image: FundusImage, content: Content, stored: Stored, answers: Answers) -> FundusImage | None:
    """The photograph of another patient that is the same picture, if that is confirmed with a reason; else None.

    ``stored``: what the new ``image`` is compared with.

    Raises PictureOfOtherEye, DoubtfulCaptureDate, PictureOfOtherPatient, ExamError without a reason.
    """
    other_eye = duplicates.same_in_exam(stored, content)
    if other_eye is not None:
        raise PictureOfOtherEye(other_eye)
    _require_likely_date(image, answers)
    other = duplicates.same_of_other_patient(stored, content)
    if other is None:
        return None
    if OTHER_PATIENT not in answers.confirmed:
        raise PictureOfOtherPatient(other)
    if not answers.reason.strip():
        raise ExamError(_("Enter the reason why this photograph is in the exams of two patients."))
    check_length(answers.reason.strip(), FundusImage, "copy_reason")
    return other


def require_one_eye(image: FundusImage, content: Content, laterality: str) -> None:
    """Raises PictureOfOtherEye if a photograph in use of the other eye is the same picture as a stored ``image``."""
    other_eye = duplicates.find_in_exam(image=image, content=content, without_eye=laterality)
    if other_eye is not None:
        raise PictureOfOtherEye(other_eye)


def _require_likely_date(image: FundusImage, answers: Answers) -> None:
    day, today = image.captured_on, timezone.localdate(timezone=image.exam.site.zone)
    if day is None:
        return
    is_from_file = image.captured_on_source == FundusImage.CaptureSource.EXIF
    if day > today:
        raise DoubtfulCaptureDate(FUTURE_DATE, day, is_from_file=is_from_file)
    if day < today - policy.MAX_CAPTURE_AGE and OLD_DATE not in answers.confirmed:
        raise DoubtfulCaptureDate(OLD_DATE, day, is_from_file=is_from_file)

"""Letters: their data, their text, their files. The addressee is in the window of DIN 5008, form B."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from screening.labels.dates import day_text
from screening.labels.directions import isolated
from screening.labels.documents import Standing
from screening.labels.grades import GRADE_LABELS
from screening.labels.sentences import joined
from screening.models import Document, Letterhead, MessageTemplate, Patient, Review
from screening.policy import Outcome
from screening.policy.letters import RESULT_KINDS, LetterKind, LetterVariant
from screening.policy.message_texts import fill, header_text
from screening.policy.recall import ContactChannel
from screening.policy.register import RegisterStatus
from screening.reports.clinical import EyeOfReport, Report, check_address, qr_code, report_of
from screening.reports.photographs import small_photograph
from screening.reports.typesetting import without_bad_breaks
from screening.selectors.documents import letterhead_of, with_later_result
from screening.services.exams import ExamError
from screening.services.letter_values import eye_text, person_values
from screening.services.message_texts import text_in_force

TEMPLATE = "screening/reports/letter.html"
_Kind = Document.Kind
OF_REVIEW = (_Kind.RESULT_LETTER, _Kind.DOCTOR_LETTER, _Kind.REFERRAL_LETTER)
OF_RECALL: dict[Document.Kind, LetterKind] = {
    _Kind.INVITATION_LETTER: LetterKind.INVITATION,
    _Kind.REMINDER_LETTER: LetterKind.REMINDER,
    _Kind.MISSED_LETTER: LetterKind.DID_NOT_ATTEND,
}
"""Letters of call and recall, which are about no result."""


class LetterRefused(ExamError):
    """No letter can be made. The message is for the user."""


WINDOW_LINES, LINE_CHARS = 7, 36
"""Of the window in 11 pt."""
SMALL_WINDOW_LINES, SMALL_LINE_CHARS = 11, 52
"""In 7.5 pt."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The data of a letter. ``address`` is that of the addressee, in lines, which may be of the name alone."""

    kind: Document.Kind
    patient: Patient
    language: str
    stored_text: MessageTemplate | None
    subject: str
    body: str
    address: tuple[str, ...]
    eyes: tuple[EyeOfReport, ...] = ()
    """Of a letter with photographs."""

    @property
    def is_address_long(self) -> bool:
        """Whether the address is set in small print, to be in the window."""
        return _n_lines(self.address, LINE_CHARS) > WINDOW_LINES

    @property
    def paragraphs(self) -> list[str]:
        """Those of the text; each may have several lines."""
        return [one for one in self.body.split("\n\n") if one.strip()]

    @property
    def is_clinical(self) -> bool:
        """Whether a clinician gets it: then it has the page that checks it."""
        return self.kind in {_Kind.DOCTOR_LETTER, _Kind.REFERRAL_LETTER}

    def html(self, document: Document | None = None) -> str:
        """The text as a page. Without a document: without what differs between two documents of the same data."""
        context: dict[str, Any] = {"letter": self, "document": document, "language": self.language}
        context["is_rtl"] = get_language_info(self.language)["bidi"]
        if document is not None:
            made_at = document.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            context |= {"made_at": made_at, "address": check_address(document.pk)}
            context["is_large"] = document.variant == LetterVariant.LARGE_PRINT
        return without_bad_breaks(render_to_string(TEMPLATE, context))

    def plain_text(self, document: Document) -> str:
        """The text as a file: sender, addressee, day, subject, text; the photographs are not part of it."""
        head, zone = document.letterhead, document.site.zone
        sender = document.site.name if head is None else f"{head.name}\n{head.address}".strip()
        day = day_text(document.created_at, zone)
        texts = [sender, "\n".join(self.address), day, self.subject, *self.paragraphs]
        reference = _("Document %(id)s") % {"id": isolated(document.pk)}
        return "\n\n".join([*texts, reference]) + "\n"

    def data_sha256(self) -> str:
        """Hash of all that the letter contains, without its id and date."""
        with translation.override(self.language):
            text = self.html()
        shown = [one.image.pk for one in self.eyes if one.image is not None]
        return hashlib.sha256(f"{text}{shown}".encode()).hexdigest()

    def assets(self, document: Document) -> dict[str, bytes]:
        """The files of the document. Raises PhotographUnreadable, DecoderUnavailable."""
        files = {"qr": qr_code(check_address(document.pk))} if self.is_clinical else {}
        if document.letterhead is not None and document.letterhead.logo:
            files["logo"] = bytes(document.letterhead.logo)
        for eye in self.eyes:
            if eye.image is not None:
                files[eye.photo] = small_photograph(eye.image.file)
        return files


def letter_of(patient: Patient, review_id: uuid.UUID | None, kind: Document.Kind) -> Letter:
    """A letter of any kind. NB: check the access before. Raises LetterRefused, ReportRefused."""
    if kind in OF_RECALL:
        return letter_of_recall(patient, kind)
    assert review_id is not None  # noqa: S101 (for the type: a constraint of the table)
    return letter_of_review(review_id, kind)


def letter_of_review(review_id: uuid.UUID, kind: Document.Kind) -> Letter:
    """A letter about a signed result that counts. NB: check the access before. Raises LetterRefused, ReportRefused."""
    report = report_of(review_id, has_heatmaps=False)
    review, patient = report.review, report.exam.patient
    if report.standing is not Standing.CURRENT:
        raise LetterRefused(_("This result does not count any more. Make the letter of the one that replaced it."))
    if with_later_result(Review.objects.filter(pk=review.pk)).exists():
        raise LetterRefused(_("A later exam of this person has a result. Make the letter of that one."))
    text_kind = _kind_of_text(review, kind)
    address = _address_of(kind, patient, letterhead_of(report.exam.site))
    is_to_patient = kind is _Kind.RESULT_LETTER
    language = patient.language if is_to_patient else ""
    eyes = report.eyes if kind is _Kind.REFERRAL_LETTER else ()
    return _letter(kind, text_kind, patient, language, address, report=report, eyes=eyes)


def letter_of_recall(patient: Patient, kind: Document.Kind) -> Letter:
    """A letter of call and recall to a person. NB: check the access before. Raises LetterRefused."""
    if patient.merged_into_id is not None:
        raise LetterRefused(_("This record was merged into another one. Make the letter there."))
    return _letter(kind, OF_RECALL[kind], patient, patient.language, _address_of(kind, patient, None))


def _kind_of_text(review: Review, kind: Document.Kind) -> LetterKind:
    outcome = Outcome(review.outcome)
    if kind is _Kind.RESULT_LETTER:
        return RESULT_KINDS[outcome]
    if kind is _Kind.DOCTOR_LETTER:
        return LetterKind.DOCTOR
    if outcome not in {Outcome.REFER, Outcome.REFER_URGENT, Outcome.REFER_SLIT_LAMP}:
        raise LetterRefused(_("This result does not refer the patient: it has no letter to the eye hospital."))
    return LetterKind.HOSPITAL


def _address_of(kind: Document.Kind, patient: Patient, head: Letterhead | None) -> tuple[str, ...]:
    """Lines of the address window. Raises LetterRefused without one of a doctor or a hospital, or to the deceased."""
    if kind is _Kind.DOCTOR_LETTER:
        if not patient.doctor_address:
            raise LetterRefused(_("The address of the doctor is missing. Enter it among the details of the patient."))
        return tuple(patient.doctor_address.splitlines())
    if kind is _Kind.REFERRAL_LETTER:
        if head is None or not head.hospital_address:
            raise LetterRefused(_("The address of the eye hospital is missing. A manager enters it in the letterhead."))
        return tuple(head.hospital_address.splitlines())
    if patient.register_status_on(timezone.localdate(timezone=patient.site.zone)) is RegisterStatus.DECEASED:
        raise LetterRefused(_("This person is deceased, by the register: there is no letter to the person."))
    return (name_of(patient), *patient.postal_address.splitlines())


def name_of(patient: Patient) -> str:
    """Given name and family name, in one line."""
    return header_text(f"{patient.given_name} {patient.family_name}")


def _letter(
    kind: Document.Kind,
    text_kind: LetterKind,
    patient: Patient,
    language: str,
    address: tuple[str, ...],
    *,
    report: Report | None = None,
    eyes: tuple[EyeOfReport, ...] = (),
) -> Letter:
    if _n_lines(address, SMALL_LINE_CHARS) > SMALL_WINDOW_LINES:
        raise LetterRefused(_("The address does not fit in the window of an envelope. Shorten its lines."))
    text = text_in_force(patient.site, text_kind, ContactChannel.LETTER, language)
    with translation.override(text.language):
        values = person_values(patient.site, name_of(patient))
        if report is not None:
            values |= _clinical_values(report)
        values = {name: isolated(value) for name, value in values.items()}
    body, subject = fill(text.body, values), header_text(fill(text.subject, values))
    return Letter(kind, patient, text.language, text.stored, subject, body.strip(), address, eyes)


def _n_lines(address: tuple[str, ...], n_chars: int) -> int:
    """Printed lines of an address, if ``n_chars`` fit in one."""
    return sum(-(-len(line) // n_chars) for line in address)


def _clinical_values(report: Report) -> dict[str, str]:
    review, patient, zone = report.review, report.exam.patient, report.exam.site.zone
    right, left = (_eye_text(eye) for eye in report.eyes)
    recall = day_text(review.recall_on) if review.recall_on else _("decided after the referral")
    return {
        "born": patient.birth_text,
        "mrn": patient.mrn,
        "visit_day": day_text(report.exam.created_at, zone),
        "result": review.get_outcome_display(),
        "urgency": review.get_urgency_display(),
        "right_eye": right,
        "left_eye": left,
        "recall_day": recall,
        "reader": str(review.reviewer),
    }


def _eye_text(eye: EyeOfReport) -> str:
    finding, acuity = eye.finding, "" if eye.acuity is None else eye.acuity.text
    if finding is None or not finding.is_photographed or finding.is_absent:
        return eye.no_photo_reason or _("not photographed")
    if not finding.is_gradable or finding.grade is None:
        return eye_text(_("cannot be graded"), "", acuity)
    grade = f"{GRADE_LABELS[finding.grade]} ({finding.grade})"
    found = joined([grade, *eye.grade_texts, *eye.other_disease_texts, eye.written_disease])
    return eye_text(found, str(finding.get_macular_oedema_display()), acuity)

"""Letters to the people of a list: who gets one, making them one after another, and their files."""

import hashlib
import logging
import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any

from django.core.files import File
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import AccessDenied
from screening.models import BatchLetter, Document, LetterBatch, Patient, Review, Site, User
from screening.policy.letters import LetterReason, LetterVariant
from screening.policy.messages import MessageKind, may_get_messages
from screening.policy.referrals import ReferralState
from screening.policy.register import RegisterStatus
from screening.reports.bundles import write_archive, write_folded_pdf
from screening.reports.clinical import ReportRefused
from screening.reports.letters import LetterRefused
from screening.reports.making import make_document
from screening.reports.requests import request_letter
from screening.selectors.documents import letterhead_of, with_later_result
from screening.selectors.due_list import DueFilters, due_list
from screening.selectors.referrals import ReferralFilters, list_referrals
from screening.selectors.results import ResultFilters, list_results
from screening.services.grading_queue import is_user_waiting
from screening.services.letter_batches import (
    MAX_LETTERS,
    claim_batch,
    fail_batch,
    finish_batch,
    leave_out,
    release_batch,
    still_claimed,
)
from screening.services.message_plans import due_message, with_plan_facts

logger = logging.getLogger(__name__)

SLICE_S = 300
"""How long one task makes letters at most: below its time limit with the time of one letter and of the files."""
_KINDS: dict[MessageKind, Document.Kind] = {
    MessageKind.INVITATION: Document.Kind.INVITATION_LETTER,
    MessageKind.REMINDER: Document.Kind.REMINDER_LETTER,
    MessageKind.DID_NOT_ATTEND: Document.Kind.MISSED_LETTER,
}


@dataclass(frozen=True, slots=True)
class PlannedLetters:
    """Letters that are not stored. ``is_cut``: the list has more people than one batch."""

    rows: tuple[BatchLetter, ...]
    is_cut: bool

    @property
    def n_letters(self) -> int:
        return sum(not row.reason for row in self.rows)

    @property
    def reasons(self) -> dict[LetterReason, int]:
        """Why others get none."""
        counts = {reason: sum(row.reason == reason for row in self.rows) for reason in LetterReason}
        return {reason: n for reason, n in counts.items() if n}


def plan_due_letters(
    *, site: Site, filters: DueFilters, patients: Collection[uuid.UUID] | None = None, by: User
) -> PlannedLetters:
    """Letters for the next step of the people of a due list, or of those of ``patients`` in it."""
    today = timezone.localdate(timezone=site.zone)
    people: Any = with_plan_facts(due_list(user=by, site=site, filters=filters))
    if patients is not None:
        people = people.filter(pk__in=patients)
    return _planned(_due_letter(person, today) for person in people[: MAX_LETTERS + 1])


def plan_result_letters(
    *, filters: ResultFilters, kind: Document.Kind, exams: Collection[uuid.UUID] | None = None, by: User
) -> PlannedLetters:
    """Letters about the results of a list, or those of ``exams`` in it, each result once."""
    rows = list_results(user=by, filters=filters)
    if exams is not None:
        rows = rows.filter(exam__in=exams)
    return _about_reviews(list(rows[: MAX_LETTERS + 1]), kind)


def plan_referral_letters(
    *, site: Site, filters: ReferralFilters, exams: Collection[uuid.UUID] | None = None, by: User
) -> PlannedLetters:
    """Letters to the eye hospital for the referrals of a site that are to be sent, or those of ``exams`` among them.

    Raises LetterRefused without the address of the hospital.
    """
    head = letterhead_of(site)
    if head is None or not head.hospital_address:
        raise LetterRefused(_("The address of the eye hospital is missing. A manager enters it in the letterhead."))
    rows = list_referrals(user=by, filters=replace(filters, site=site, state=ReferralState.MADE))
    if exams is not None:
        rows = rows.filter(exam__in=exams)
    referrals = rows.select_related("review__exam__patient", "review__exam__site")[: MAX_LETTERS + 1]
    return _about_reviews([referral.review for referral in referrals], Document.Kind.REFERRAL_LETTER)


def _about_reviews(reviews: list[Review], kind: Document.Kind) -> PlannedLetters:
    done = Document.objects.filter(review__in=reviews, kind=kind, status=Document.Status.DONE)
    reasons = dict.fromkeys(done.values_list("review_id", flat=True), LetterReason.MADE_BEFORE)
    later = with_later_result(Review.objects.filter(pk__in=[review.pk for review in reviews]))
    reasons |= dict.fromkeys(later.values_list("pk", flat=True), LetterReason.LATER_RESULT)
    return _planned(_result_letter(review, kind, reasons.get(review.pk)) for review in reviews)


def _planned(rows: Iterable[BatchLetter]) -> PlannedLetters:
    found = tuple(rows)
    return PlannedLetters(found[:MAX_LETTERS], len(found) > MAX_LETTERS)


def _due_letter(person: Any, today: Any) -> BatchLetter:
    due = due_message(person, today)
    if not may_get_messages(person.register_status_on(today)):
        return BatchLetter(patient=person, reason=LetterReason.NOT_INVITED.value)
    if due is None:
        return BatchLetter(patient=person, reason=LetterReason.NOTHING_TO_DO.value)
    kind, step = due
    reason = LetterReason.WAITING if person.is_waiting else _no_address(person.postal_address)
    return BatchLetter(patient=person, kind=_KINDS[kind], step=step.value, reason=reason)


def _result_letter(review: Review, kind: Document.Kind, known: LetterReason | None) -> BatchLetter:
    patient = review.exam.patient
    today = timezone.localdate(timezone=review.exam.site.zone)
    reason = "" if kind is Document.Kind.REFERRAL_LETTER else _no_address(_addressee(patient, kind))
    if kind is Document.Kind.RESULT_LETTER and patient.register_status_on(today) is RegisterStatus.DECEASED:
        reason = LetterReason.DECEASED
    return BatchLetter(patient=patient, review=review, kind=kind, reason=known or reason)


def _addressee(patient: Patient, kind: Document.Kind) -> str:
    return patient.doctor_address if kind is Document.Kind.DOCTOR_LETTER else patient.postal_address


def _no_address(address: str) -> str:
    return "" if address else LetterReason.NO_ADDRESS.value


def make_letters(*, batch_id: uuid.UUID) -> None:
    """Make letters of a batch, then its files, unless it is not queued any more.

    After SLICE_S seconds, or if a user waits for a photograph to be graded, another task continues: behind the messages
    of these photographs. Each makes one letter at least, so that the batch ends.
    """
    batch = claim_batch(batch_id=batch_id)
    if batch is None:
        logger.info("Letters %s are not queued: nothing to do", batch_id)
        return
    until = time.monotonic() + SLICE_S
    try:
        waiting = batch.letters.filter(document__isnull=True, reason="").order_by("position")
        for n_made, letter_id in enumerate(waiting.values_list("pk", flat=True)):
            if not still_claimed(batch):
                return
            if n_made and (time.monotonic() > until or is_user_waiting()):
                release_batch(batch=batch)
                return
            rows = BatchLetter.objects.select_related("patient__site", "review__exam__patient__site")
            _make(rows.get(pk=letter_id), LetterVariant(batch.variant), batch.created_by)
        _finish(batch)
    except Exception:
        # The boundary of the task: every error must end as a visible failure, never as an endless wait.
        logger.exception("Letters %s failed", batch_id)
        fail_batch(batch=batch)


def _make(letter: BatchLetter, variant: LetterVariant, by: User) -> None:
    """Make one letter, or store why there is none."""
    kind = Document.Kind(letter.kind)
    try:
        document, _is_new = request_letter(
            kind=kind, patient=letter.patient, review=letter.review, variant=variant, is_published=False, by=by
        )
    except (LetterRefused, ReportRefused, AccessDenied):
        leave_out(letter=letter, reason=LetterReason.REFUSED)
        return
    make_document(document_id=document.pk)
    document.refresh_from_db()
    if document.status == Document.Status.DONE:
        BatchLetter.objects.filter(pk=letter.pk).update(document=document)
    else:
        leave_out(letter=letter, reason=LetterReason.FAILED)


def _finish(batch: LetterBatch) -> None:
    """Write the files and end the batch. Text files have no PDF; without a letter there is no file."""
    if not _documents(batch.pk).exists():
        finish_batch(batch=batch, pdf=None, archive=None, sha256="")
        return
    with TemporaryFile() as pdf, TemporaryFile() as archive:
        write_archive(_in_order(batch.pk), archive)
        has_pdf = batch.variant != LetterVariant.PLAIN_TEXT
        if has_pdf:
            write_folded_pdf(_in_order(batch.pk), pdf)
        sha256 = _sha256(pdf if has_pdf else archive)
        finish_batch(batch=batch, pdf=File(pdf) if has_pdf else None, archive=File(archive), sha256=sha256)


def _sha256(file: Any) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _documents(batch_id: uuid.UUID) -> Any:
    rows = BatchLetter.objects.filter(batch=batch_id, document__isnull=False).order_by("position")
    return rows.values_list("document", flat=True)


def _in_order(batch_id: uuid.UUID) -> Iterator[Document]:
    """The documents in the order of the list, one at a time."""
    for document_id in list(_documents(batch_id)):
        yield Document.objects.get(pk=document_id)

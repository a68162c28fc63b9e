"""Making a queued document: in the worker, ends in a stored file or in a failure with a code."""

import logging
import uuid
from collections.abc import Callable

from billiard.exceptions import SoftTimeLimitExceeded
from django.utils import translation

from screening.labels.documents import DocumentFailure
from screening.models import Document
from screening.policy.letters import LetterVariant
from screening.reports import clinical, letters
from screening.reports.clinical import DataChanged, ReportRefused
from screening.reports.engine import EngineUnavailable, LettersMissing, render_pdf
from screening.reports.photographs import PhotographUnreadable
from screening.services.documents import claim_document, fail_document, store_document

logger = logging.getLogger(__name__)


def make_document(*, document_id: uuid.UUID) -> None:
    """Make a document, unless it is no longer queued."""
    document = claim_document(document_id=document_id)
    if document is None:
        logger.info("Document %s is not queued: nothing to do", document_id)
        return
    try:
        pdf = pdf_of(document)
    except Exception as error:
        # The boundary of the task: every error must end as a visible failure, never as an endless wait.
        code = _code_of(error)
        logger.exception("Document %s failed: %s", document_id, code)
        fail_document(document=document, code=code)
        return
    try:
        store_document(document=document, pdf=pdf)
    except Exception:  # each storage raises errors of its library
        logger.exception("Document %s could not be stored", document_id)
        fail_document(document=document, code=DocumentFailure.STORAGE_UNAVAILABLE)


def pdf_of(document: Document) -> bytes:
    """The file of a document: the same bytes each time, as long as its data do not change.

    Raises DataChanged, ReportRefused, PhotographUnreadable, DecoderUnavailable, and as ``render_pdf``.
    """
    with translation.override(document.language):
        return MAKERS[Document.Kind(document.kind)](document)


def _clinical_report(document: Document) -> bytes:
    assert document.review_id is not None  # noqa: S101 (for the type: a constraint of the table)
    report = clinical.report_of(document.review_id, has_heatmaps=document.has_heatmaps)
    if report.exam.patient_id != document.patient_id or report.data_sha256() != document.data_sha256:
        raise DataChanged
    return render_pdf(report.html(document), assets=report.assets(document), identifier=document.pk.bytes)


def _letter(document: Document) -> bytes:
    letter = letters.letter_of(document.patient, document.review_id, Document.Kind(document.kind))
    is_same = (letter.patient.pk, letter.language, letter.stored_text, letter.data_sha256()) == (
        document.patient_id,
        document.language,
        document.text,
        document.data_sha256,
    )
    if not is_same:
        raise DataChanged
    if document.variant == LetterVariant.PLAIN_TEXT:
        return letter.plain_text(document).encode()
    return render_pdf(letter.html(document), assets=letter.assets(document), identifier=document.pk.bytes)


MAKERS: dict[Document.Kind, Callable[[Document], bytes]] = {
    **dict.fromkeys(Document.Kind, _letter),
    Document.Kind.CLINICAL_REPORT: _clinical_report,
}
_CODES: dict[type[Exception], DocumentFailure] = {
    EngineUnavailable: DocumentFailure.ENGINE_UNAVAILABLE,
    LettersMissing: DocumentFailure.LETTERS_MISSING,
    PhotographUnreadable: DocumentFailure.PHOTO_MISSING,
    DataChanged: DocumentFailure.DATA_CHANGED,
    ReportRefused: DocumentFailure.DATA_CHANGED,
    letters.LetterRefused: DocumentFailure.DATA_CHANGED,
    SoftTimeLimitExceeded: DocumentFailure.TIME_LIMIT,
}


def _code_of(error: Exception) -> DocumentFailure:
    return _CODES.get(type(error), DocumentFailure.UNEXPECTED)

"""Requests for documents: what a page or the API calls."""

from django.utils.translation import gettext as _

from screening.access import AccessDenied
from screening.models import Document, Exam, Patient, Review, User
from screening.policy.letters import LetterVariant
from screening.reports.clinical import report_of
from screening.reports.letters import letter_of
from screening.selectors.gradings import hidden_from
from screening.services import documents


def request_report(*, review: Review, has_heatmaps: bool, language: str, by: User) -> tuple[Document, bool]:
    """Request the clinical report of a review that ``by`` sees; the document, and whether it is new.

    ``language``: of the text, a code of ``settings.LANGUAGES``.

    Raises ReportRefused, and AccessDenied also for heatmaps if ``by`` may not see the model's grade.
    """
    if has_heatmaps and not may_have_heatmaps(exam=review.exam, user=by):
        raise AccessDenied(_("You may not see the model's result for this exam. Make the report without heatmaps."))
    data_sha256 = report_of(review.pk, has_heatmaps=has_heatmaps).data_sha256()
    return documents.request_report(
        review=review, has_heatmaps=has_heatmaps, language=language, data_sha256=data_sha256, by=by
    )


def request_letter(
    *,
    kind: Document.Kind,
    patient: Patient,
    review: Review | None,
    variant: LetterVariant,
    is_published: bool = True,
    by: User,
) -> tuple[Document, bool]:
    """Request a letter to or about a patient whom ``by`` sees; the document, and whether it is new.

    Letters of call and recall have no review. Raises LetterRefused, ReportRefused, AccessDenied.
    """
    letter = letter_of(patient, None if review is None else review.pk, kind)
    return documents.request_letter(
        kind=kind,
        patient=patient,
        review=review,
        variant=variant,
        language=letter.language,
        text=letter.stored_text,
        data_sha256=letter.data_sha256(),
        is_published=is_published,
        by=by,
    )


def may_have_heatmaps(*, exam: Exam, user: User) -> bool:
    """Whether ``user`` may see the model's grade of this exam, and so its heatmaps."""
    return not hidden_from(Exam.objects.filter(pk=exam.pk), user).exists()

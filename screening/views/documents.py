"""Reports of an exam: making them, their progress, their files."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, can
from screening.labels.documents import DocumentFailure, Standing
from screening.labels.letters import VARIANT_CHOICES
from screening.models import AuditEvent, Exam, Review
from screening.policy.referrals import REFERRAL_OUTCOMES
from screening.reports.downloads import file_response
from screening.reports.engine import missing_libraries
from screening.reports.requests import may_have_heatmaps, request_report
from screening.selectors.documents import documents_of_exam, get_document, get_exam_of_documents, standing_of
from screening.selectors.reviews import visible_reviews
from screening.services.audit import record_event
from screening.services.documents import NotMade
from screening.services.exams import ExamError
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import value_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def exam_reports(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The signed results of an exam with their reports; a POST requests one."""
    exam = get_exam_of_documents(user=request.user, exam_id=exam_id)
    if request.method == "POST":
        return _request(request, exam)
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    return render(request, "screening/documents/exam.html", _context(request, exam))


@login_required
@require_safe
def exam_reports_status(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The list of reports alone, for polling while one is made."""
    exam = get_exam_of_documents(user=request.user, exam_id=exam_id)
    return render(request, "screening/documents/_results.html", _context(request, exam))


def _request(request: AuthenticatedRequest, exam: Exam) -> HttpResponseBase:
    try:
        review = visible_reviews(user=request.user, exam=exam).get(pk=UUID(request.POST.get("review", "")))
    except (ValueError, Review.DoesNotExist):
        messages.error(request, _("Choose the signed result of which the report is to be made."))
        return redirect("screening:exam-reports", exam.pk)
    has_heatmaps = request.POST.get("heatmaps") == "on"
    language = value_of(request.POST, "language", values=list(dict(settings.LANGUAGES)), default=get_language())
    try:
        request_report(review=review, has_heatmaps=has_heatmaps, language=language, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
    return redirect("screening:exam-reports", exam.pk)


def _context(request: AuthenticatedRequest, exam: Exam) -> dict[str, Any]:
    documents = list(documents_of_exam(user=request.user, exam=exam))
    results = [
        {
            "review": review,
            "standing": _standing(review),
            "refers": review.outcome in REFERRAL_OUTCOMES,
            "documents": [
                {"row": one, "standing": standing_of(one)} for one in documents if one.review_id == review.pk
            ],
        }
        for review in visible_reviews(user=request.user, exam=exam)
    ]
    return {
        "section": "patients",
        "exam": exam,
        "patient": exam.patient,
        "results": results,
        "n_pending": sum(one.is_pending for one in documents),
        "variants": VARIANT_CHOICES,
        "languages": settings.LANGUAGES,
        "language": get_language(),
        "may_have_heatmaps": may_have_heatmaps(exam=exam, user=request.user),
        "may_manage": can(request.user, Action.MANAGE_SITE, exam.site),
        "unavailable": DocumentFailure.ENGINE_UNAVAILABLE if missing_libraries() else None,
    }


def _standing(review: Review) -> Standing:
    if review.amendments.all():
        return Standing.SUPERSEDED
    return Standing.CURRENT if review.reading_round == review.exam.reading_round else Standing.IN_ERROR


@login_required
@require_safe
def document_file(request: AuthenticatedRequest, document_id: UUID) -> HttpResponseBase:
    """The file. Raises Http404 for one that is not made."""
    document = get_document(user=request.user, document_id=document_id)
    try:
        return file_response(document=document, by=request.user)
    except NotMade as error:
        raise Http404 from error

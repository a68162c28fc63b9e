"""Letters: those about a result, on the page of its reports, and all letters of a person."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from screening.access import Action, can
from screening.forms.documents import LetterForm
from screening.labels.documents import DocumentFailure
from screening.models import AuditEvent, Patient, Review, User
from screening.reports.engine import missing_libraries
from screening.reports.letters import OF_RECALL, OF_REVIEW
from screening.reports.requests import request_letter
from screening.selectors import get_patient
from screening.selectors.documents import documents_of_patient, get_exam_of_documents, standing_of
from screening.selectors.reviews import visible_reviews
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_POST
def exam_letters(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Request a letter about a signed result."""
    exam = get_exam_of_documents(user=request.user, exam_id=exam_id)
    try:
        review = visible_reviews(user=request.user, exam=exam).get(pk=UUID(request.POST.get("review", "")))
    except (ValueError, Review.DoesNotExist):
        messages.error(request, _("Choose the signed result of which the letter is to be made."))
        return redirect("screening:exam-reports", exam.pk)
    form = LetterForm(request.POST, kinds=OF_REVIEW)
    if form.is_valid():
        _request(request, form, exam.patient, review)
    else:
        messages.error(request, _("Choose what letter is to be made."))
    return redirect("screening:exam-reports", exam.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_letters(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """The letters of a person, newest first (GET); request one of call and recall (POST)."""
    require_parameters(request, known={"page"})
    patient = get_patient(user=request.user, patient_id=patient_id)
    form = LetterForm(request.POST if request.method == "POST" else None, kinds=tuple(OF_RECALL))
    if request.method == "POST" and form.is_valid():
        _request(request, form, patient, None)
        return redirect("screening:patient-letters", patient.pk)
    if request.method != "POST":
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    page = Paginator(documents_of_patient(user=request.user, patient=patient), PER_PAGE).get_page(page_number(request))
    context = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "page": page,
        "documents": [{"row": one, "standing": standing_of(one)} for one in page.object_list],
        "n_pending": sum(one.is_pending for one in page.object_list),
        "may_make": can(request.user, Action.MANAGE_REGISTER, patient.site) and patient.merged_into_id is None,
        "unavailable": DocumentFailure.ENGINE_UNAVAILABLE if missing_libraries() else None,
    }
    if request.htmx:
        return render(request, "screening/documents/_letters.html", context)
    return render(request, "screening/documents/letters.html", context, status=422 if form.errors else 200)


def _request(request: AuthenticatedRequest, form: LetterForm, patient: Patient, review: Review | None) -> None:
    """Request the letter of a valid form; the next page shows it, or why there is none."""
    user: User = request.user
    try:
        request_letter(patient=patient, review=review, **form.values, by=user)
    except ExamError as error:
        messages.error(request, str(error))

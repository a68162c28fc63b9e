"""One visit: photographs, quality while the patient is there, handing over to the reviewer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from screening import policy
from screening.access import Action, can
from screening.forms import PHOTO_TYPES, AbsentEyeForm, PhotoForm, error_text
from screening.models import AuditEvent, Exam
from screening.selectors import ExamDetail, get_exam, get_patient
from screening.services.audit import record_event
from screening.services.exams import ExamError, cancel_exam, mark_eye_absent, open_exam, submit_exam
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.eye_cards import build_eye_cards, missing_for_submit, spoken_status, state_of


@login_required
@require_POST
def new_exam(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Start a visit of a patient."""
    patient = get_patient(user=request.user, patient_id=patient_id)
    exam = open_exam(patient=patient, by=request.user)
    return redirect("screening:exam-detail", exam.pk)


@login_required
@require_safe
def detail(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The exam: both eyes, live."""
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    record_event(
        verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam_detail.exam, site=exam_detail.exam.site, by=request.user
    )
    context = _context(request, exam_detail) | {
        "section": "patients",
        "age": exam_detail.exam.patient.age_on(timezone.localdate(timezone=exam_detail.exam.site.zone)),
        "review": exam_detail.review,
        "photo_form": PhotoForm(),
        "photo_types": PHOTO_TYPES,
    }
    return render(request, "screening/exams/detail.html", context)


@login_required
@require_safe
def status(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The eyes' cards for the live page; 204 while nothing has changed, so that nobody's typing is disturbed."""
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    context = _context(request, exam_detail)
    if request.GET.get("state") == context["state"]:
        return HttpResponse(status=204)
    context["spoken"] = spoken_status(context["eyes"], shows_model=context["shows_model"])
    return render(request, "screening/exams/_status.html", context)


def _context(request: AuthenticatedRequest, exam_detail: ExamDetail) -> dict[str, Any]:
    exam, user = exam_detail.exam, request.user
    eyes = build_eye_cards(exam_detail)
    may_upload = exam.is_open and can(user, Action.UPLOAD_IMAGE, exam.site)
    is_unsigned = exam.status in {Exam.Status.OPEN, Exam.Status.SUBMITTED}
    is_reviewable = exam.status in {Exam.Status.SUBMITTED, Exam.Status.REVIEWED}
    return {
        "exam": exam,
        "eyes": eyes,
        "n_pending": sum(1 for eye in exam_detail.eyes if eye.is_pending),
        "state": state_of(exam_detail, eyes),
        "shows_model": exam_detail.is_model_revealed(user),
        "may_upload": may_upload,
        "may_submit": may_upload and can(user, Action.SUBMIT_EXAM, exam.site),
        "may_move": exam.status == Exam.Status.SUBMITTED and can(user, Action.UPLOAD_IMAGE, exam.site),
        "may_cancel": is_unsigned and can(user, Action.CANCEL_EXAM, exam.site),
        "may_retry": can(user, Action.RETRY_GRADING, exam.site),
        "may_review": is_reviewable and can(user, Action.REVIEW_EXAM, exam.site),
        "missing": missing_for_submit(eyes),
        "to_retake": [eye for eye in eyes if eye.is_to_retake],
        "max_photos": policy.MAX_PHOTOS_PER_EYE,
    }


@login_required
@require_POST
def submit(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Hand the exam to the reviewer."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    try:
        submit_exam(exam=exam, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The exam is submitted. It is now on the reviewer's worklist."))
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def cancel(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """End an exam that will not be reviewed."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    try:
        cancel_exam(exam=exam, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
        return redirect("screening:exam-detail", exam_id)
    messages.success(request, _("The exam is cancelled. Its photographs are kept."))
    return redirect("screening:patient-detail", exam.patient_id)


@login_required
@require_POST
def absent(request: AuthenticatedRequest, exam_id: UUID, laterality: str) -> HttpResponseBase:
    """Record why an eye cannot be photographed; an empty reason takes that back."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    form = AbsentEyeForm(request.POST)
    if not form.is_valid():
        messages.error(request, error_text(form))
        return redirect("screening:exam-detail", exam_id)
    try:
        mark_eye_absent(exam=exam, laterality=laterality, reason=form.cleaned_data["reason"], by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Recorded."))
    return redirect("screening:exam-detail", exam_id)

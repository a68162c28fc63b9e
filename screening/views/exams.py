"""The exam page: photographs and their results, submission to the reviewer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from screening.access import Action, can, require
from screening.forms import PhotoForm, ReturnForm, error_text
from screening.forms.eyes import AbsentEyeForm, NotPhotographedForm, UnobtainableForm
from screening.forms.visit_facts import VisitFactsForm
from screening.labels.dates import day_text
from screening.labels.repeats import dropped_text
from screening.labels.worklist import READING_URGENCY_CHOICES
from screening.models import AuditEvent, User
from screening.policy import Urgency
from screening.policy.exam_states import FINISHED, ExamEvent, ExamState, can_happen
from screening.selectors import (
    MAX_CORRECTIONS,
    ExamDetail,
    corrections_of_exam,
    get_exam,
    get_exam_of_case,
    get_patient,
    reviews_in_error,
)
from screening.selectors.readings import may_arbitrate
from screening.selectors.visible_readings import readings_in_round
from screening.services.audit import record_event
from screening.services.exams import (
    ExamError,
    cancel_exam,
    get_or_open_exam,
    mark_eye_absent,
    mark_eye_not_photographed,
    submit_exam,
)
from screening.services.hand_overs import is_being_read, return_exam, take_back_exam
from screening.services.repeats import give_up_repeat
from screening.services.unobtainable_eyes import mark_eye_unobtainable
from screening.views.capture import ACCEPTED_TYPES, capture_context
from screening.views.checklist import build_checklist
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.eye_cards import announcement, build_eye_cards, cards_version
from screening.views.messages import report_exam_errors, undo_by
from screening.views.parameters import value_of
from screening.views.reading_access import can_review


@login_required
@require_POST
def exam_create(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Open an exam of a patient; if there is an open one, show that."""
    patient = get_patient(user=request.user, patient_id=patient_id)
    try:
        exam, is_new = get_or_open_exam(patient=patient, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
        return redirect("screening:patient-detail", patient_id)
    if not is_new:
        opened_on = day_text(exam.created_at, exam.site.zone)
        text = _("This patient has an open exam of %(date)s: here it is. To start another one, cancel it first.")
        messages.info(request, text % {"date": opened_on})
    return redirect("screening:exam-detail", exam.pk)


@login_required
@require_safe
def exam_detail(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The exam page."""
    return exam_page(request, get_exam(user=request.user, exam_id=exam_id), photo_form=PhotoForm())


def exam_page(
    request: AuthenticatedRequest,
    detail: ExamDetail,
    *,
    photo_form: PhotoForm,
    question: dict[str, str] | None = None,
    facts_form: VisitFactsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The exam page, with a ``question`` about the photograph that ``photo_form`` sent, if there is one."""
    exam = detail.exam
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    facts_form = facts_form or VisitFactsForm.of(getattr(exam, "visit_facts", None))
    context = _eyes_context(request, detail) | {
        "section": "patients",
        "age": exam.patient.age_text_on(timezone.localdate(timezone=exam.site.zone)),
        "review": detail.review,
        "replaced_reviews": detail.replaced_reviews,
        "reviews_in_error": reviews_in_error(request.user).filter(exam=exam) if exam.reading_round else (),
        "hides_earlier_results": _hides_earlier_results(request.user, detail),
        "corrections": corrections_of_exam(exam),
        "readings": readings_in_round(user=request.user, exam=exam),
        "max_corrections": MAX_CORRECTIONS,
        "photo_form": photo_form,
        "facts_form": facts_form,
        "treatment_fields": [facts_form["right_eye_treatments"], facts_form["left_eye_treatments"]],
        "question": question,
    }
    if context["may_upload"]:
        context |= capture_context(request.user, exam, context["eyes"])
    return render(request, "screening/exams/detail.html", context, status=status)


def _hides_earlier_results(user: User, detail: ExamDetail) -> bool:
    """Whether ``user`` reads the exam again, and has yet to store an own reading."""
    exam = detail.exam
    is_again = exam.reading_round > 0 and exam.is_waiting and not detail.is_model_revealed
    return is_again and can(user, Action.REVIEW_EXAM, exam.site)


@login_required
@require_safe
def exam_status(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The eye cards, for polling; 204 if they are unchanged, so that an open form is not replaced."""
    context = _eyes_context(request, get_exam(user=request.user, exam_id=exam_id))
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    context["announcement"] = announcement(context["eyes"], shows_model=context["shows_model"])
    return render(request, "screening/exams/_status.html", context)


def _eyes_context(request: AuthenticatedRequest, detail: ExamDetail) -> dict[str, Any]:
    exam, user = detail.exam, request.user
    eyes = build_eye_cards(detail)
    may_upload = exam.is_open and can(user, Action.UPLOAD_IMAGE, exam.site)
    state = ExamState(exam.status)
    is_unsigned = state not in FINISHED
    may_correct = state is not ExamState.CANCELLED and can(user, Action.CORRECT_RECORD, exam.site)
    return {
        "exam": exam,
        "eyes": eyes,
        "n_pending": sum(1 for eye in detail.eyes if eye.is_pending),
        "version": cards_version(exam, eyes),
        "shows_model": detail.is_model_revealed,
        "may_upload": may_upload,
        "accepted_types": ACCEPTED_TYPES,
        "may_submit": may_upload and can(user, Action.SUBMIT_EXAM, exam.site),
        "may_change_eye": is_unsigned and can(user, Action.UPLOAD_IMAGE, exam.site),
        "may_withdraw": can(user, Action.WITHDRAW_IMAGE, exam.site)
        and (is_unsigned or (state is ExamState.SIGNED and may_correct)),
        "may_correct": may_correct,
        "may_take_back": exam.is_waiting and can(user, Action.SUBMIT_EXAM, exam.site) and not is_being_read(exam),
        "may_cancel": can_happen(state, ExamEvent.CANCEL) and can(user, Action.CANCEL_EXAM, exam.site),
        "may_retry": can(user, Action.RETRY_GRADING, exam.site),
        "may_review": can_review(user, detail),
        "may_arbitrate": may_arbitrate(user=user, exam=exam),
        "is_reader": not detail.is_model_revealed and can(user, Action.REVIEW_EXAM, exam.site),
        "checklist": build_checklist(exam, eyes),
        "reading_urgencies": READING_URGENCY_CHOICES,
        "reading_urgency": value_of(request.GET, "urgency", values=list(Urgency), default=exam.reading_urgency),
    }


@login_required
@require_POST
def exam_mark_not_photographed(request: AuthenticatedRequest, exam_id: UUID, laterality: str) -> HttpResponseBase:
    """Record why an eye has no photograph at this visit; an empty reason removes the record."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    form = NotPhotographedForm(request.POST)
    if form.is_valid():
        undo = undo_by("screening:exam-not-photographed", exam_id, laterality) if form.cleaned_data["reason"] else ""
        with report_exam_errors(request, success=_("Saved."), undo=undo):
            reason = form.cleaned_data["reason"]
            mark_eye_not_photographed(exam=exam, laterality=laterality, reason=reason, by=request.user)
    else:
        messages.error(request, error_text(form))
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def exam_take_back(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Open a submitted exam again, until a reviewer has begun to read it."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    with report_exam_errors(request, success=_("The exam is open again. Submit it when it is complete.")):
        take_back_exam(exam=exam, by=request.user)
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def exam_return(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Return a submitted exam to the photographer, with a reason."""
    exam = get_exam_of_case(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, exam.site)
    form = ReturnForm(request.POST)
    if not form.is_valid():
        messages.error(request, error_text(form))
        return redirect("screening:exam-review", exam_id)
    if give_up_repeat(exam=exam, by=request.user):
        messages.info(request, dropped_text())
        return redirect("screening:exam-review", exam_id)
    try:
        return_exam(exam=exam, reason=form.cleaned_data["reason"], by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
        return redirect("screening:exam-review", exam_id)
    messages.success(request, _("The exam is returned. It is at the top of the photographer's list, with your reason."))
    return redirect("screening:worklist")


@login_required
@require_POST
def exam_submit(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Submit the exam to the reviewer. If it is refused, the page keeps the chosen urgency."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    urgency = Urgency(value_of(request.POST, "reading_urgency", values=list(Urgency), default=exam.reading_urgency))
    try:
        submit_exam(exam=exam, confirmed=request.POST.getlist("confirm"), urgency=urgency, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('screening:exam-detail', args=[exam_id])}?urgency={urgency}")
    success = _("The exam is submitted. It is now on the reviewer's worklist.")
    messages.success(request, success, extra_tags=undo_by("screening:exam-take-back", exam_id))
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def exam_cancel(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Cancel an exam that will not be reviewed."""
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
def exam_mark_absent(request: AuthenticatedRequest, exam_id: UUID, laterality: str) -> HttpResponseBase:
    """Record why an eye cannot be photographed; an empty reason removes the record."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    form = AbsentEyeForm(request.POST)
    if form.is_valid():
        undo = undo_by("screening:exam-absent", exam_id, laterality) if form.cleaned_data["reason"] else ""
        with report_exam_errors(request, success=_("Saved."), undo=undo):
            mark_eye_absent(exam=exam, laterality=laterality, reason=form.cleaned_data["reason"], by=request.user)
    else:
        messages.error(request, error_text(form))
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def exam_mark_unobtainable(request: AuthenticatedRequest, exam_id: UUID, laterality: str) -> HttpResponseBase:
    """Record why no gradable photograph of an eye can be obtained; an empty code removes the record."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    form = UnobtainableForm(request.POST)
    if form.is_valid():
        undo = undo_by("screening:exam-unobtainable", exam_id, laterality) if form.cleaned_data["code"] else ""
        with report_exam_errors(request, success=_("Saved."), undo=undo):
            mark_eye_unobtainable(exam=exam, laterality=laterality, **form.cleaned_data, by=request.user)
    else:
        messages.error(request, error_text(form))
    return redirect("screening:exam-detail", exam_id)

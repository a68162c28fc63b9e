"""Locks of exams: activity of the reader, release, take-over, the next free exam."""

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from screening.access import Action, require, sees_identity
from screening.forms.exam_locks import TakeOverForm
from screening.labels.repeats import dropped_text
from screening.models import AuditEvent, Exam
from screening.selectors import WorklistFilters, get_draft, get_exam_of_case
from screening.services.audit import record_event
from screening.services.drafts import NewerDraft
from screening.services.exam_locks import (
    ExamLocked,
    NoFreeExam,
    NotWaiting,
    release_exam,
    take_exam,
    take_over_exam,
)
from screening.services.prefetches import open_exam_in_advance
from screening.services.repeats import give_up_repeat, take_next
from screening.views.decorators import AuthenticatedRequest, login_required, wants_json
from screening.views.drafts import reading_news
from screening.views.ended_sessions import is_form_of, reading_login_required, redirect_without_form
from screening.views.opened_readings import forget_reading, remember_reading
from screening.views.repeats import open_repeat_of_page
from screening.views.review_page import get_exam_to_review, keep_changed_entries, newer_draft_page
from screening.views.worklist import filters_of_next_exam
from screening.views.worklist_filters import query_of


def locked_page(request: AuthenticatedRequest, error: ExamLocked) -> HttpResponseBase:
    """Who reads the exam, with a button to take it over; in place of the reading page."""
    exam = error.lock.exam
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    context = {
        "section": "worklist",
        "exam": exam,
        "lock": error.lock,
        "sees_identity": sees_identity(request.user, exam.site),
        "case_text": exam.patient.case_text_on(timezone.localdate(timezone=exam.site.zone)),
        "has_draft": get_draft(user=request.user, exam=exam) is not None,
    }
    return render(request, "screening/exam_locks/locked.html", context)


@reading_login_required
@require_POST
def exam_lock(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Keep the exam for longer: the page sends this while its reader is active. JSON as for a draft.

    With ``shown``, the page was loaded in advance and is displayed now. If it was made for another user, it has to be
    loaded again (``other_user``). ``is_next``: by *next exam*, which alone opens a repeat.
    """
    exam = _get_exam(request, exam_id)
    if "shown" in request.POST and not is_form_of(request.user, exam_id, request.POST):
        return JsonResponse({"code": "other_user", "notice": ""})
    if "shown" in request.POST and (answer := open_repeat_of_page(request, exam)) is not None:
        return answer
    with suppress(ExamLocked, NotWaiting):  # the answer has the notice about it
        if "shown" in request.POST:
            open_exam_in_advance(exam=exam, by=request.user)
            remember_reading(request, exam)
        else:
            take_exam(exam=exam, by=request.user)
    return reading_news(request, exam, request.POST)


@reading_login_required
@redirect_without_form
def exam_release(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Release the exam, so that others can take it; what was entered stays as a draft.

    If there is a newer draft, the reader first chooses which to keep; the same before a take-over.
    """
    exam = _get_exam(request, exam_id)
    if give_up_repeat(exam=exam, by=request.user):
        messages.info(request, dropped_text())
        return HttpResponse(status=204) if wants_json(request) else redirect("screening:worklist")
    try:
        if "form_token" in request.POST:
            keep_changed_entries(request, exam_id)
    except NewerDraft as error:
        return newer_draft_page(request, get_exam_to_review(request, exam_id), error)
    release_exam(exam=exam, by=request.user)
    forget_reading(request, exam)
    if wants_json(request):
        return HttpResponse(status=204)
    messages.success(request, _("The exam is free again. What you entered is kept as a draft."))
    return redirect("screening:worklist")


@reading_login_required
@redirect_without_form
def exam_take_over(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Take the exam from the colleague whom the page named; entries that were sent along are kept as a draft."""
    exam = _get_exam(request, exam_id)
    form = TakeOverForm(request.POST)
    try:
        if "form_token" in request.POST:
            keep_changed_entries(request, exam_id)
        if form.is_valid():
            take_over_exam(exam=exam, holder_id=form.cleaned_data["holder"], by=request.user)
    except NewerDraft as error:
        return newer_draft_page(request, get_exam_to_review(request, exam_id), error)
    except ExamLocked as error:
        messages.warning(request, _("Meanwhile another person has taken this exam. %(who)s") % {"who": error})
    except NotWaiting as error:
        messages.warning(request, str(error))
    return redirect("screening:exam-review", exam_id)


@login_required
@require_POST
def exam_next(request: AuthenticatedRequest) -> HttpResponseBase:
    """Take the next free exam of the worklist, with the filters of the address, and open it."""
    filters = filters_of_next_exam(request)
    try:
        exam = take_next(filters=filters, by=request.user)
    except NoFreeExam as error:
        is_filtered = filters != WorklistFilters(sort=filters.sort)
        filtered = _("No exam of the filtered list is free. Choose other filters, or show all exams.")
        messages.info(request, filtered if is_filtered else str(error))
        return redirect(f"{reverse('screening:worklist')}?{query_of(filters)}")
    return redirect("screening:exam-review", exam.pk)


def _get_exam(request: AuthenticatedRequest, exam_id: UUID) -> Exam:
    exam = get_exam_of_case(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, exam.site)
    return exam

"""The reading page of a repeat: the page of an unread exam, until the reading is stored."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from screening.models import Exam
from screening.policy.exam_states import ExamState
from screening.policy.repeats import RepeatState
from screening.selectors import ExamDetail, ReadingChange
from screening.selectors.repeats import hide_result, readable_repeats
from screening.services.drafts import NewerDraft
from screening.services.repeats import RepeatEnded, lock_of, open_repeat_in_advance, record_hidden_view, store_repeat
from screening.services.reviews import ReviewError
from screening.views.decorators import AuthenticatedRequest
from screening.views.drafts import is_first_reading, reading_news
from screening.views.opened_readings import remember_opened
from screening.views.review_page import (
    ScaleChanged,
    newer_draft_page,
    panel_of,
    reject_stale_page,
    review_page,
    show_draft,
)


def hide_offered_repeat(request: AuthenticatedRequest, exam_detail: ExamDetail) -> ExamDetail:
    """The exam for its page in advance: without its result if *next exam* may open it as a repeat."""
    if exam_detail.repeat is not None:
        return exam_detail
    repeat = next(readable_repeats(request.user, exam=exam_detail.exam), None)
    return exam_detail if repeat is None else hide_result(exam_detail, repeat)


def open_repeat_of_page(request: AuthenticatedRequest, exam: Exam) -> JsonResponse | None:
    """Open the exam of a page in advance as a repeat: JSON as of ``exam_lock``, None if that page was of no repeat.

    Only *next exam* opens it, and any other way to the page leads to the signed result. If it may not be read any more,
    the answer is as if a colleague had taken it.
    """
    states = [RepeatState.WAITING, RepeatState.DROPPED]
    repeats = exam.repeats.filter(reader=request.user, reading_round=exam.reading_round, state__in=states)
    if exam.status != ExamState.SIGNED or not is_first_reading(request.POST) or not repeats.exists():
        return None
    if "is_next" not in request.POST or not open_repeat_in_advance(exam=exam, by=request.user):
        return JsonResponse({"code": ReadingChange.TAKEN.value, "notice": ""})
    remember_opened(request, exam)
    return reading_news(request, exam, request.POST)


def repeat_page(
    request: AuthenticatedRequest,
    exam_detail: ExamDetail,
    *,
    newer: NewerDraft | None = None,
    kept: dict[str, Any] | None = None,
) -> HttpResponseBase:
    """The page of the repeat that the user has open. ``newer``, ``kept``: see ``newer_draft_page``."""
    exam = _with_lock(exam_detail)
    remember_opened(request, exam.exam)
    record_hidden_view(exam=exam.exam, by=request.user)
    if newer is not None:
        return newer_draft_page(request, exam, newer, kept)
    return review_page(request, exam, panel_of(request.user, exam))


def store_repeat_of_page(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """Store the posted reading of a repeat; the answer leads to the signed exam."""
    detail = _with_lock(exam_detail)
    panel = panel_of(request.user, detail, request.POST)
    try:
        reject_stale_page(request, detail, panel)
        if not panel.are_valid():
            return review_page(request, detail, panel, status=422)
        store_repeat(exam=detail.exam, findings=panel.findings(), by=request.user)
    except ScaleChanged:
        return show_draft(request, detail)
    except RepeatEnded as error:
        messages.warning(request, str(error))
    except ReviewError as error:
        return review_page(request, detail, panel, error=error, status=422)
    else:
        messages.success(
            request, _("Saved. You read this exam for the second time, to compare. Its result stays the same.")
        )
    address = reverse("screening:exam-review", args=[detail.exam.pk])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _with_lock(exam_detail: ExamDetail) -> ExamDetail:
    """The exam with the lock that its page shows."""
    if exam_detail.repeat is not None:
        exam_detail.exam.lock = lock_of(exam_detail.repeat)
    return exam_detail

"""The reading page of a repeat: the page of an unread exam, until the reading is stored."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from screening.models import AuditEvent
from screening.selectors import ExamDetail
from screening.services.audit import record_event
from screening.services.drafts import NewerDraft
from screening.services.repeats import RepeatEnded, lock_of, store_repeat
from screening.services.reviews import ReviewError
from screening.views.decorators import AuthenticatedRequest
from screening.views.review_page import (
    ScaleChanged,
    newer_draft_page,
    panel_of,
    reject_stale_page,
    review_page,
    show_draft,
)


def repeat_page(
    request: AuthenticatedRequest,
    exam_detail: ExamDetail,
    *,
    newer: NewerDraft | None = None,
    kept: dict[str, Any] | None = None,
) -> HttpResponseBase:
    """The page of the repeat that the user has open. ``newer``, ``kept``: see ``newer_draft_page``."""
    exam = _with_lock(exam_detail)
    # The page shows no result: this view does not drop the repeat.
    data = {"is_hidden": True}
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam.exam, site=exam.exam.site, data=data, by=request.user)
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

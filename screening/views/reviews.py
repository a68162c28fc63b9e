"""The review page: first reading, result of the model, signature."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from screening.forms.readings import SignForm
from screening.labels.reviews import OUTCOME_LABELS
from screening.models import AuditEvent, Exam
from screening.selectors import ExamDetail, ReadingChange, get_exam
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.reviews import (
    AlreadyReviewed,
    ReviewError,
    find_sent_before,
    preview_outcome,
    record_first_readings,
    sign_review,
)
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.drafts import posted_base, save_posted_draft
from screening.views.ended_sessions import reading_login_required, redirect_without_form, take_kept_form
from screening.views.opened_readings import remember_reading
from screening.views.review_page import (
    change_since_page,
    get_exam_to_review,
    keep_as_draft,
    panel_of,
    posted_base_review,
    reject_stale_page,
    review_page,
)
from screening.views.review_panel import can_review


@login_required
@require_safe
def exam_review(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The review page; redirects to the exam page if the exam cannot be reviewed."""
    exam_detail = get_exam_to_review(request, exam_id)
    exam = exam_detail.exam
    if not can_review(request.user, exam):
        messages.info(request, _("This exam is not ready for review."))
        return redirect("screening:exam-detail", exam_id)
    is_restored, is_late = _restore_kept_form(request, exam), remember_reading(request, exam)
    if is_restored or is_late:
        exam_detail = get_exam_to_review(request, exam_id)
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    return review_page(request, exam_detail, panel_of(request.user, exam_detail))


def _restore_kept_form(request: AuthenticatedRequest, exam: Exam) -> bool:
    """Make a draft of a form that was sent after the session had ended."""
    form = take_kept_form(request, exam.pk)
    if form is None:
        return False
    try:
        save_posted_draft(exam=exam, data=form, version=None, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
        return False
    messages.warning(request, _("You were logged out before your entries were sent. They are back on this page."))
    return True


@reading_login_required
@redirect_without_form
def exam_first_reading(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Record the first reading of both eyes; the response contains the result of the model."""
    exam_detail = get_exam_to_review(request, exam_id)
    if change_since_page(request, exam_detail.exam) is ReadingChange.SIGNED_BY_COLLEAGUE:
        exam_detail = keep_as_draft(request, exam_detail)
    panel = panel_of(request.user, exam_detail, request.POST)
    try:
        reject_stale_page(request, panel)
        if not panel.are_valid():
            return review_page(request, exam_detail, panel, status=422)
        if posted_base(request.POST, exam_detail.exam) is not None:
            raise AlreadyReviewed
        record_first_readings(exam=exam_detail.exam, findings=panel.findings(), by=request.user)
    except ReviewError as error:
        return review_page(request, exam_detail, panel, error=error, status=422)
    if not request.htmx:
        return redirect("screening:exam-review", exam_id)
    if panel.is_late:  # more than the panel changes
        return HttpResponseClientRedirect(reverse("screening:exam-review", args=[exam_id]))
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    return review_page(request, exam_detail, panel_of(request.user, exam_detail))


@reading_login_required
@require_POST
def exam_preview(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The outcome of the form as filled in so far; nothing is stored."""
    exam_detail = get_exam_to_review(request, exam_id)
    panel = panel_of(request.user, exam_detail, request.POST)
    context: dict[str, Any] = {"is_ready": panel.are_valid()}
    if context["is_ready"]:
        try:
            decision, recall_on = preview_outcome(
                exam=exam_detail.exam,
                findings=panel.findings(),
                amends=exam_detail.review if panel.is_amending else None,
                by=request.user,
            )
        except ReviewError as error:
            context |= {"is_ready": False, "error": error}
        else:
            context |= {"outcome": decision.outcome, "label": OUTCOME_LABELS[decision.outcome]}
            context |= {"recall_on": recall_on, "reasons": decision.reasons}
    return render(request, "screening/reviews/_preview.html", context)


@reading_login_required
@redirect_without_form
def exam_sign(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Sign the findings of both eyes, or amend a signed review. A form that is sent twice is signed once."""
    exam_detail = get_exam_to_review(request, exam_id)
    try:
        if change_since_page(request, exam_detail.exam) in {None, ReadingChange.NOT_WAITING}:
            return _sign(request, exam_detail)
    except AlreadyReviewed:  # a colleague, or the same form sent twice, was first by a moment
        exam_detail = get_exam_to_review(request, exam_id)
    return _answer_signed_before(request, exam_detail)


def _sign(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """Raises AlreadyReviewed if the exam was signed, or its review amended, since the page was loaded."""
    panel = panel_of(request.user, exam_detail, request.POST)
    form = SignForm(request.POST)
    try:
        reject_stale_page(request, panel)
        if not (panel.are_valid() and form.is_valid()):
            return review_page(request, exam_detail, panel, form=form, status=422)
        review = sign_review(
            exam=exam_detail.exam,
            findings=panel.findings(),
            note=form.cleaned_data["note"],
            amends=posted_base_review(request, exam_detail.exam),
            amend_reason=form.cleaned_data["amend_reason"] if panel.is_amending else "",
            by=request.user,
        )
    except AlreadyReviewed:
        raise
    except ReviewError as error:
        return review_page(request, exam_detail, panel, form=form, error=error, status=422)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": review.get_outcome_display()})
    return redirect("screening:exam-review", exam_detail.exam.pk)


def _answer_signed_before(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """The answer to a form for an exam that was signed, or amended, since the page was loaded."""
    exam, change = exam_detail.exam, change_since_page(request, exam_detail.exam)
    if change is ReadingChange.SIGNED_BY_COLLEAGUE:
        exam_detail = keep_as_draft(request, exam_detail)
    panel = panel_of(request.user, exam_detail, request.POST)
    form = SignForm(request.POST)
    if not (panel.are_valid() and form.is_valid()):
        return review_page(request, exam_detail, panel, form=form, status=422)
    sent = find_sent_before(
        exam=exam,
        findings=panel.findings(),
        note=form.cleaned_data["note"],
        amends=posted_base_review(request, exam),
        amend_reason=form.cleaned_data["amend_reason"],
        by=request.user,
    )
    if sent is not None:
        return redirect("screening:exam-review", exam.pk)
    if not panel.is_late:
        error = ReviewError(_signed_before(change))
        return review_page(request, exam_detail, panel, form=form, error=error, status=422)
    try:
        reject_stale_page(request, panel)
        record_first_readings(exam=exam, findings=panel.findings(), by=request.user)
    except ReviewError as error:
        return review_page(request, exam_detail, panel, form=form, error=error, status=422)
    messages.warning(request, _("Your findings are saved as your own reading. They are not signed."))
    return redirect("screening:exam-review", exam.pk)


def _signed_before(change: ReadingChange | None) -> str:
    if change is ReadingChange.SIGNED_BY_YOU:
        return _("You have signed this exam already. To change what you signed, amend the review.")
    if change is ReadingChange.AMENDED:
        return _("A colleague amended this review while you were reading. Amend the newest version, shown here.")
    return _("A colleague signed this exam while you were reading. To change what was signed, amend the review.")

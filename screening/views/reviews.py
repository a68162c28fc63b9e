"""The review page: first reading, result of the model, signature."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from screening.forms.readings import SignForm
from screening.labels.reviews import OUTCOME_LABELS
from screening.models import AuditEvent, Exam, Reading, Review
from screening.policy.repeats import RepeatState
from screening.selectors import ExamDetail, ReadingChange
from screening.selectors.readings import may_arbitrate
from screening.services.audit import record_event
from screening.services.drafts import NewerDraft
from screening.services.exam_locks import ExamLocked, NotWaiting, is_locked, take_exam
from screening.services.exams import ExamError
from screening.services.findings import grades_in_scale
from screening.services.prefetches import record_shown_photos
from screening.services.readings import sign_findings
from screening.services.reviews import (
    AlreadyReviewed,
    ReviewError,
    find_sent_before,
    preview_outcome,
    record_first_readings,
    sign_review,
)
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.drafts import posted_base, posted_version, save_posted_draft
from screening.views.ended_sessions import keep_form, reading_login_required, redirect_without_form, take_kept_form
from screening.views.exam_locks import locked_page
from screening.views.opened_readings import remember_reading
from screening.views.prefetches import is_prefetch
from screening.views.reading_access import can_review
from screening.views.repeats import hide_offered_repeat, repeat_page, store_repeat_of_page
from screening.views.review_page import (
    ScaleChanged,
    change_since_page,
    get_exam_to_review,
    keep_as_draft,
    newer_draft_page,
    panel_of,
    posted_base_review,
    reject_stale_page,
    review_page,
    show_draft,
)
from screening.views.review_panel import ReviewPanel


@login_required
@require_safe
def exam_review(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The review page, which takes a waiting exam for its reader; if a colleague has it, the page that states so.

    Redirects to the exam page if the exam cannot be reviewed.
    """
    is_in_advance = is_prefetch(request)
    exam_detail = get_exam_to_review(request, exam_id)
    exam_detail = hide_offered_repeat(request, exam_detail) if is_in_advance else exam_detail
    exam = exam_detail.exam
    if is_in_advance:
        return _page_in_advance(request, exam_detail)
    if not can_review(request.user, exam_detail):
        return _not_to_be_read(request, exam_detail)
    kept = take_kept_form(request, exam.pk)
    is_restored, newer = _restore_kept_form(request, exam, kept) if kept else (False, None)
    if exam_detail.repeat is not None:
        return repeat_page(request, exam_detail, newer=newer, kept=kept)
    if exam.is_waiting:
        try:
            exam.lock = take_exam(exam=exam, by=request.user)
        except (ExamLocked, NotWaiting) as error:
            if newer is not None and kept is not None:
                keep_form(request, exam.pk, kept)
            if isinstance(error, ExamLocked):
                return locked_page(request, error)
            return redirect("screening:exam-review", exam_id)  # a colleague signed or returned it at this moment
    is_late = remember_reading(request, exam)
    if is_restored or is_late:
        exam_detail = get_exam_to_review(request, exam_id)
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    record_shown_photos(exam=exam, by=request.user)
    if newer is None:
        response = review_page(request, exam_detail, panel_of(request.user, exam_detail))
    else:
        response = newer_draft_page(request, exam_detail, newer, kept)
    return response


def _not_to_be_read(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """Redirect from the reading page of an exam that does not wait for a reading by this user."""
    exam_id = exam_detail.exam.pk
    if may_arbitrate(user=request.user, exam=exam_detail.exam):
        return redirect("screening:exam-consensus", exam_id)
    messages.info(request, _("This exam does not wait for a reading by you."))
    return redirect("screening:exam-detail", exam_id) if exam_detail.sees_identity else redirect("screening:worklist")


def _page_in_advance(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """The page of a free exam, hidden until ``exam_lock`` takes the exam for the reader and records the view.

    409 if the exam is not free. A browser would display any response of success when the page is opened later: after a
    204 it stays on the page before.
    """
    exam = exam_detail.exam
    is_opened = exam_detail.repeat is not None and exam_detail.repeat.state == RepeatState.TAKEN
    is_readable = can_review(request.user, exam_detail) and exam.is_waiting
    if not is_readable or is_opened or is_locked(exam):
        return HttpResponse(status=409)
    record_event(verb=AuditEvent.Verb.EXAM_PREFETCHED, subject=exam, site=exam.site, by=request.user)
    return review_page(request, exam_detail, panel_of(request.user, exam_detail), is_in_advance=True)


def _restore_kept_form(
    request: AuthenticatedRequest, exam: Exam, form: dict[str, Any]
) -> tuple[bool, NewerDraft | None]:
    """Make a draft of a form that was sent after the session had ended: whether it is one, or the reason why not."""
    newer = None
    try:
        save_posted_draft(exam=exam, data=form, version=posted_version(form), by=request.user)
    except NewerDraft as error:
        newer = error
    except ExamError as error:
        messages.error(request, str(error))
        return False, None
    messages.warning(request, _("You were logged out before your entries were sent. They are back on this page."))
    return newer is None, newer


@reading_login_required
@redirect_without_form
def exam_first_reading(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Record the first reading of both eyes; the response contains the result of the model."""
    exam_detail = get_exam_to_review(request, exam_id)
    if exam_detail.repeat is not None:
        return store_repeat_of_page(request, exam_detail)
    if change_since_page(request, exam_detail.exam) is ReadingChange.SIGNED_BY_COLLEAGUE:
        exam_detail = _hide_by_draft(request, exam_detail)
    panel = panel_of(request.user, exam_detail, request.POST)
    try:
        reject_stale_page(request, exam_detail, panel)
        if not panel.are_valid():
            return review_page(request, exam_detail, panel, status=422)
        if posted_base(request.POST, exam_detail.exam) is not None:
            raise AlreadyReviewed
        record_first_readings(exam=exam_detail.exam, findings=panel.findings(), by=request.user)
    except ScaleChanged:
        return show_draft(request, exam_detail)
    except ReviewError as error:
        return review_page(request, exam_detail, panel, error=error, status=422)
    return _after_first_reading(request, exam_id, panel)


def _after_first_reading(request: AuthenticatedRequest, exam_id: UUID, panel: ReviewPanel) -> HttpResponseBase:
    """The page with the result of the model, or its panel for htmx."""
    if not request.htmx:
        return redirect("screening:exam-review", exam_id)
    if panel.is_late:  # more than the panel changes
        return HttpResponseClientRedirect(reverse("screening:exam-review", args=[exam_id]))
    exam_detail = get_exam_to_review(request, exam_id)
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
            context["grades"] = grades_in_scale(exam_detail.exam, panel.findings())
    return render(request, "screening/reviews/_preview.html", context)


@reading_login_required
@redirect_without_form
def exam_sign(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Sign the findings of both eyes, or amend a signed review. A form that is sent twice is signed once."""
    exam_detail = get_exam_to_review(request, exam_id)
    if exam_detail.repeat is not None:
        return redirect("screening:exam-review", exam_id)
    if exam_detail.exam.is_waiting and not can_review(request.user, exam_detail):
        return _not_to_be_read(request, exam_detail)
    try:
        if change_since_page(request, exam_detail.exam) in {None, ReadingChange.NOT_WAITING}:
            return _sign(request, exam_detail)
    except AlreadyReviewed:  # a colleague, or the same form sent twice, was first by a moment
        exam_detail = get_exam_to_review(request, exam_id)
    return _answer_signed_before(request, exam_detail)


def _hide_by_draft(request: AuthenticatedRequest, exam_detail: ExamDetail) -> ExamDetail:
    """Keep the form of a late reader as a draft. A newer one stays: it hides what was signed too."""
    try:
        return keep_as_draft(request, exam_detail)
    except NewerDraft:
        return get_exam_to_review(request, exam_detail.exam.pk)


def _sign(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """Raises AlreadyReviewed if the exam was signed, or its review amended, since the page was loaded."""
    panel = panel_of(request.user, exam_detail, request.POST)
    form = SignForm(request.POST)
    try:
        reject_stale_page(request, exam_detail, panel)
        if not (panel.are_valid() and form.is_valid()):
            return review_page(request, exam_detail, panel, form=form, status=422)
        signed = _sign_or_amend(request, exam_detail, panel, form)
    except AlreadyReviewed:
        raise
    except ScaleChanged:
        return show_draft(request, exam_detail)
    except ReviewError as error:
        return review_page(request, exam_detail, panel, form=form, error=error, status=422)
    if isinstance(signed, Reading):
        messages.success(request, _("Your reading is signed. It is no result yet: another person reads this exam."))
        is_hidden = not exam_detail.sees_identity
        return redirect("screening:worklist") if is_hidden else redirect("screening:exam-detail", exam_detail.exam.pk)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": signed.get_outcome_display()})
    return redirect("screening:exam-review", exam_detail.exam.pk)


def _sign_or_amend(
    request: AuthenticatedRequest, exam_detail: ExamDetail, panel: ReviewPanel, form: SignForm
) -> Review | Reading:
    exam, note, amends = exam_detail.exam, form.cleaned_data["note"], posted_base_review(request, exam_detail.exam)
    findings, by = panel.findings(), request.user
    if amends is None:
        return sign_findings(exam=exam, findings=findings, note=note, by=by)
    reason = form.cleaned_data["amend_reason"] if panel.is_amending else ""
    return sign_review(exam=exam, findings=findings, note=note, amends=amends, amend_reason=reason, by=by)


def _answer_signed_before(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """The answer to a form for an exam that was signed, or amended, since the page was loaded."""
    exam, change = exam_detail.exam, change_since_page(request, exam_detail.exam)
    if change is ReadingChange.SIGNED_BY_COLLEAGUE:
        exam_detail = _hide_by_draft(request, exam_detail)
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
        reject_stale_page(request, exam_detail, panel)
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

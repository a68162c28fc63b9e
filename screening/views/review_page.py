"""The review page as a response, and what a posted form says about the page that it comes from."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from screening.access import Action, require
from screening.forms import ReturnForm
from screening.forms.readings import SignForm
from screening.labels.repeats import dropped_text
from screening.models import Exam, ReadingDraft, Review, Site, User
from screening.policy import GradingScale
from screening.policy.repeats import RepeatState
from screening.selectors import (
    ExamDetail,
    ReadingChange,
    get_case,
    get_draft,
    get_previous_exam,
    get_reading_change,
)
from screening.selectors.exam_locks import free_exams
from screening.selectors.reading_layouts import get_reading_layout
from screening.selectors.repeats import hide_result
from screening.services.drafts import AlreadyStored, NewerDraft, max_entry_chars
from screening.services.exam_locks import ExamLocked
from screening.services.repeats import current_repeat
from screening.services.reviews import ReviewError
from screening.views.decorators import AuthenticatedRequest
from screening.views.drafts import posted_base, posted_draft, posted_version, save_posted_draft
from screening.views.ended_sessions import form_token
from screening.views.lesion_rules import rules_for_page
from screening.views.page_versions import is_of_other_scale
from screening.views.review_panel import ReviewPanel, build_review_panel, photos_of

PAGE, PANEL = "screening/reviews/read.html", "screening/reviews/_panel_swap.html"


def posted_base_review(request: AuthenticatedRequest, exam: Exam) -> Review | None:
    """The review in force when the page was made; None: the exam was not signed then."""
    reason = request.POST.get("amend_reason", "").strip()
    if "base_review" in request.POST or not reason:
        return posted_base(request.POST, exam)
    # An amendment without the field is one of the review in force, unless it is sent for a second time.
    newest = (
        Review.objects.filter(exam=exam, reading_round=exam.reading_round)
        .select_related("amends")
        .order_by("-signed_at")
        .first()
    )
    if newest is not None and (newest.reviewer_id, newest.amend_reason) == (request.user.pk, reason):
        return newest.amends
    return newest


def change_since_page(request: AuthenticatedRequest, exam: Exam) -> ReadingChange | None:
    """What happened to the exam since the page was made."""
    return get_reading_change(user=request.user, exam=exam, base_review=posted_base_review(request, exam))


def keep_as_draft(request: AuthenticatedRequest, exam_detail: ExamDetail) -> ExamDetail:
    """Save the posted form as a draft; that of a late reader hides what was signed until the reading is stored.

    Raises NewerDraft: then the page shows the posted entries, and who entered them chooses (``newer_draft_page``).
    """
    data = {name: text[: max_entry_chars(name)] for name, text in request.POST.items() if isinstance(text, str)}
    with suppress(AlreadyStored):
        save_posted_draft(exam=exam_detail.exam, data=data, version=posted_version(data), by=request.user)
    return get_exam_to_review(request, exam_detail.exam.pk)


def keep_changed_entries(request: AuthenticatedRequest, exam_id: UUID) -> None:
    """Save the posted form as a draft if it has entries that the page did not have at first. Raises NewerDraft."""
    exam_detail = get_exam_to_review(request, exam_id)
    panel = panel_of(request.user, exam_detail, request.POST)
    texts = SignForm(request.POST, initial=_sign_initial(panel))
    if any(form.has_changed() for form in (*panel.forms.values(), texts)):
        keep_as_draft(request, exam_detail)


def get_exam_to_review(request: AuthenticatedRequest, exam_id: UUID) -> ExamDetail:
    """The exam for its reading page; one that the user has open as a repeat is shown without its result."""
    exam_detail = get_case(user=request.user, exam_id=exam_id)
    exam = exam_detail.exam
    require(request.user, Action.REVIEW_EXAM, exam.site)
    if exam.status == Exam.Status.SIGNED and exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST:
        repeat = current_repeat(exam=exam, by=request.user)
        if repeat is not None and repeat.state == RepeatState.TAKEN:
            return hide_result(exam_detail, repeat)
        if repeat is not None:
            messages.info(request, dropped_text())
    return exam_detail


class ScaleChanged(ReviewError):
    """The grading scale of the site changed after the page was loaded."""

    def __init__(self) -> None:
        super().__init__(
            _("The grading scale of this site changed while you were reading: choose a grade of the new scale.")
        )


def reject_stale_page(request: AuthenticatedRequest, exam_detail: ExamDetail, panel: ReviewPanel) -> None:
    """Raises ReviewError if the photographs of the exam, or the scale, changed after the page was loaded."""
    version = request.POST.get("page_version", panel.page_version)
    if version != panel.page_version and is_of_other_scale(version, exam_detail.exam, photos_of(exam_detail)):
        raise ScaleChanged
    if version != panel.page_version:
        raise ReviewError(
            _("The photographs of this exam changed while you were reading. Reload the page and read them again.")
        )


def show_draft(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
    """Keep the posted form as a draft and load the whole page again, which shows it."""
    try:
        keep_as_draft(request, exam_detail)
    except NewerDraft as error:
        return newer_draft_page(request, exam_detail, error)
    address = reverse("screening:exam-review", args=[exam_detail.exam.pk])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def newer_draft_page(
    request: AuthenticatedRequest, exam_detail: ExamDetail, error: NewerDraft, data: Mapping[str, Any] | None = None
) -> HttpResponseBase:
    """The page with the entries of the posted form, or of ``data``, and the question which draft to keep."""
    exam = exam_detail.exam
    draft = posted_draft(request.POST if data is None else data, exam, request.user)
    previous = get_previous_exam(user=request.user, exam=exam)
    panel = build_review_panel(exam_detail, request.user, previous=previous, draft=draft)
    return review_page(request, exam_detail, replace(panel, is_bound=True), newer_draft=error.draft, status=409)


def panel_of(user: User, exam_detail: ExamDetail, data: Any = None) -> ReviewPanel:
    exam = exam_detail.exam
    previous, draft = get_previous_exam(user=user, exam=exam), get_draft(user=user, exam=exam)
    return build_review_panel(exam_detail, user, data=data, previous=previous, draft=draft)


def review_page(
    request: AuthenticatedRequest,
    exam_detail: ExamDetail,
    panel: ReviewPanel,
    *,
    form: SignForm | None = None,
    error: ReviewError | None = None,
    status: int = 200,
    is_in_advance: bool = False,
    newer_draft: ReadingDraft | None = None,
) -> HttpResponseBase:
    """The whole page, or its panel for htmx. ``is_in_advance``: the page is hidden until a script opens the exam.

    ``newer_draft``: a newer one than that of the page, which asks which to keep.
    """
    if isinstance(error, ExamLocked):
        try:
            keep_as_draft(request, exam_detail)
        except NewerDraft as newer:
            newer_draft = newer.draft
        exam_detail.exam.lock = error.lock
    if error is not None:
        eye_form = panel.forms.get(error.laterality) if error.laterality else None
        if eye_form is not None:
            eye_form.add_error(None, str(error))
    exam = exam_detail.exam
    context = {
        "section": "worklist",
        "exam": exam,
        **_person(exam_detail),
        "panel": panel,
        "newer_draft": newer_draft,
        "draft_version": _draft_version(request, exam, panel),
        "review": exam_detail.review,
        "replaced_reviews": exam_detail.replaced_reviews,
        "sign_form": form or SignForm(initial=_sign_initial(panel)),
        "page_id": str(uuid4()),
        "form_token": form_token(request.user, exam),
        "layout": get_reading_layout(user=request.user),
        "lesion_rules": rules_for_page(GradingScale(exam.site.scale)),
        "error": error if error is not None and error.laterality is None else None,
        "is_pending": exam_detail.is_pending,
        "return_form": ReturnForm(auto_id="return-%s") if exam.is_waiting else None,
        "has_next": exam_detail.review is not None and free_exams(user=request.user).exists(),
    }
    if is_in_advance:
        context |= {"is_in_advance": True, "messages": ()}  # they are for the page that is displayed
    return render(request, PANEL if request.htmx else PAGE, context, status=status)


def _person(exam_detail: ExamDetail) -> dict[str, Any]:
    """The patient with the age, or only age band and sex if the user may not see who it is."""
    exam = exam_detail.exam
    today = timezone.localdate(timezone=exam.site.zone)
    if not exam_detail.sees_identity:
        return {"sees_identity": False, "case_text": exam.patient.case_text_on(today)}
    return {"sees_identity": True, "patient": exam.patient, "age": exam.patient.age_text_on(today)}


def _draft_version(request: AuthenticatedRequest, exam: Exam, panel: ReviewPanel) -> int:
    """The version of the draft on the page. A form that is sent back keeps its own, unless its page saved the draft."""
    if not panel.is_bound:
        return panel.draft.version if panel.draft else 0
    draft = get_draft(user=request.user, exam=exam)
    is_of_page = draft is not None and draft.page_id == request.POST.get("page_id", "")
    return draft.version if draft is not None and is_of_page else posted_version(request.POST)


def _sign_initial(panel: ReviewPanel) -> dict[str, str]:
    """An amendment starts from the signed note; a draft has its own."""
    entries = panel.draft.entries if panel.draft else {}
    signed = {"note": panel.base_review.note} if panel.base_review else {}
    return signed | {name: entries[name] for name in SignForm.base_fields if name in entries}

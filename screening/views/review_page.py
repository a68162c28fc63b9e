"""The review page as a response, and what a posted form says about the page that it comes from."""

from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require, sites_for
from screening.forms import ReturnForm
from screening.forms.readings import SignForm
from screening.models import Exam, Review, User
from screening.policy import GradingScale
from screening.selectors import (
    ExamDetail,
    ReadingChange,
    get_draft,
    get_exam,
    get_previous_exam,
    get_reading_change,
    worklist,
)
from screening.selectors.reading_layouts import get_reading_layout
from screening.services.drafts import MAX_ENTRY_CHARS, AlreadyStored
from screening.services.reviews import ReviewError
from screening.views.decorators import AuthenticatedRequest
from screening.views.drafts import posted_base, save_posted_draft
from screening.views.ended_sessions import form_token
from screening.views.lesion_rules import rules_for_page
from screening.views.review_panel import ReviewPanel, build_review_panel

PAGE, PANEL = "screening/reviews/read.html", "screening/reviews/_panel.html"


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
    """Save the posted form of a late reader as a draft, so that what was signed stays hidden until it is stored."""
    data = {name: text[:MAX_ENTRY_CHARS] for name, text in request.POST.items() if isinstance(text, str)}
    with suppress(AlreadyStored):
        save_posted_draft(exam=exam_detail.exam, data=data, version=None, by=request.user)
    return get_exam_to_review(request, exam_detail.exam.pk)


def get_exam_to_review(request: AuthenticatedRequest, exam_id: UUID) -> ExamDetail:
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, exam_detail.exam.site)
    return exam_detail


def reject_stale_page(request: AuthenticatedRequest, panel: ReviewPanel) -> None:
    """Raises ReviewError if the photographs of the exam changed after the page was loaded."""
    if request.POST.get("page_version", panel.page_version) != panel.page_version:
        raise ReviewError(
            _("The photographs of this exam changed while you were reading. Reload the page and read them again.")
        )


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
) -> HttpResponseBase:
    """The whole page, or its panel for htmx."""
    if error is not None:
        eye_form = panel.forms.get(error.laterality) if error.laterality else None
        if eye_form is not None:
            eye_form.add_error(None, str(error))
    exam = exam_detail.exam
    context = {
        "section": "worklist",
        "exam": exam,
        "patient": exam.patient,
        "age": exam.patient.age_text_on(timezone.localdate(timezone=exam.site.zone)),
        "panel": panel,
        "review": exam_detail.review,
        "replaced_reviews": exam_detail.replaced_reviews,
        "sign_form": form or SignForm(initial=_sign_initial(panel)),
        "page_id": str(uuid4()),
        "form_token": form_token(request.user, exam),
        "layout": get_reading_layout(user=request.user),
        "lesion_rules": rules_for_page(GradingScale(exam.site.scale)),
        "error": error if error is not None and error.laterality is None else None,
        "is_pending": exam_detail.is_pending,
        "return_form": ReturnForm(auto_id="return-%s") if exam.status == Exam.Status.SUBMITTED else None,
        "next_exam": _next_exam(request.user, exam) if exam_detail.review else None,
    }
    return render(request, PANEL if request.htmx else PAGE, context, status=status)


def _sign_initial(panel: ReviewPanel) -> dict[str, str]:
    """An amendment starts from the signed note; a draft has its own."""
    entries = panel.draft.entries if panel.draft else {}
    signed = {"note": panel.base_review.note} if panel.base_review else {}
    return signed | {name: entries[name] for name in SignForm.base_fields if name in entries}


def _next_exam(user: User, exam: Exam) -> Exam | None:
    sites = sites_for(user, Action.REVIEW_EXAM)
    return worklist(user=user).filter(site__in=sites).exclude(pk=exam.pk).first()

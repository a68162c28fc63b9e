"""The review page: first reading, result of the model, signature."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from screening.access import Action, require, sites_for
from screening.forms import ReturnForm, SignForm
from screening.labels.reviews import OUTCOME_LABELS
from screening.models import AuditEvent, Exam, User
from screening.selectors import ExamDetail, get_exam, get_previous_exam, worklist
from screening.services.audit import record_event
from screening.services.reviews import ReviewError, preview_outcome, record_first_reading, sign_review
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.review_panel import ReviewPanel, build_review_panel, can_review

PAGE, PANEL = "screening/reviews/read.html", "screening/reviews/_panel.html"


@login_required
@require_safe
def exam_review(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The review page; redirects to the exam page if the exam cannot be reviewed."""
    exam_detail = _get_exam(request, exam_id)
    exam = exam_detail.exam
    if not can_review(request.user, exam):
        messages.info(request, _("This exam is not ready for review."))
        return redirect("screening:exam-detail", exam_id)
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    return _page(request, exam_detail, _panel(request.user, exam_detail))


@login_required
@require_POST
def exam_first_reading(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Record the first reading of both eyes; the response contains the result of the model."""
    exam_detail = _get_exam(request, exam_id)
    panel = _panel(request.user, exam_detail, request.POST)
    try:
        _reject_stale_page(request, panel)
        if not panel.are_valid():
            return _page(request, exam_detail, panel, status=422)
        with transaction.atomic():  # both eyes or none: one eye alone must not reveal the model's result
            for eye, finding in panel.findings().items():
                if exam_detail.first_reading(request.user, eye) is None:
                    record_first_reading(
                        exam=exam_detail.exam,
                        laterality=eye,
                        is_gradable=finding.is_gradable,
                        grade=finding.grade,
                        macular_oedema=finding.macular_oedema,
                        by=request.user,
                    )
    except ReviewError as error:
        return _page(request, exam_detail, panel, error=error, status=422)
    if not request.htmx:
        return redirect("screening:exam-review", exam_id)
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    return _page(request, exam_detail, _panel(request.user, exam_detail))


@login_required
@require_POST
def exam_preview(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The outcome of the form as filled in so far; nothing is stored."""
    exam_detail = _get_exam(request, exam_id)
    panel = _panel(request.user, exam_detail, request.POST)
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


@login_required
@require_POST
def exam_sign(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Sign the findings of both eyes, or amend a signed review."""
    exam_detail = _get_exam(request, exam_id)
    panel = _panel(request.user, exam_detail, request.POST)
    form = SignForm(request.POST)
    try:
        _reject_stale_page(request, panel)
        if not (panel.are_valid() and form.is_valid()):
            return _page(request, exam_detail, panel, form=form, status=422)
        review = sign_review(
            exam=exam_detail.exam,
            findings=panel.findings(),
            note=form.cleaned_data["note"],
            amends=exam_detail.review if panel.is_amending else None,
            amend_reason=form.cleaned_data["amend_reason"] if panel.is_amending else "",
            by=request.user,
        )
    except ReviewError as error:
        return _page(request, exam_detail, panel, form=form, error=error, status=422)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": review.get_outcome_display()})
    return redirect("screening:exam-review", exam_id)


def _get_exam(request: AuthenticatedRequest, exam_id: UUID) -> ExamDetail:
    exam_detail = get_exam(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, exam_detail.exam.site)
    return exam_detail


def _reject_stale_page(request: AuthenticatedRequest, panel: ReviewPanel) -> None:
    """Raises ReviewError if the photographs of the exam changed after the page was loaded."""
    if request.POST.get("page_version", panel.page_version) != panel.page_version:
        raise ReviewError(
            _("The photographs of this exam changed while you were reading. Reload the page and read them again.")
        )


def _panel(user: User, exam_detail: ExamDetail, data: Any = None) -> ReviewPanel:
    return build_review_panel(
        exam_detail, user, data=data, previous=get_previous_exam(user=user, exam=exam_detail.exam)
    )


def _page(
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
        "sign_form": form or SignForm(),
        "error": error if error is not None and error.laterality is None else None,
        "is_pending": exam_detail.is_pending,
        "return_form": ReturnForm(auto_id="return-%s") if exam.status == Exam.Status.SUBMITTED else None,
        "next_exam": _next_exam(request.user, exam) if exam_detail.review else None,
    }
    return render(request, PANEL if request.htmx else PAGE, context, status=status)


def _next_exam(user: User, exam: Exam) -> Exam | None:
    sites = sites_for(user, Action.REVIEW_EXAM)
    return worklist(user=user).filter(site__in=sites).exclude(pk=exam.pk).first()

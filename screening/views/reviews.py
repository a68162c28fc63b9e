"""Reading an exam: the first reading, the reveal, the signature."""

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
from screening.forms import SignForm
from screening.models import AuditEvent, Exam, Review, User
from screening.selectors import ExamReading, get_exam, get_previous_exam, worklist
from screening.services.audit import record_event
from screening.services.reviews import ReviewError, preview_outcome, record_first_reading, sign_review
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.review_panel import ReviewPanel, may_read, panel_of

PAGE, PANEL = "screening/reviews/read.html", "screening/reviews/_panel.html"


@login_required
@require_safe
def show(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """The review page. An exam that cannot be read yet sends back to its own page."""
    reading = _reading_for(request, exam_id)
    if not may_read(request.user, reading.exam):
        messages.info(request, _("This exam is not ready for review."))
        return redirect("screening:exam-detail", exam_id)
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=reading.exam, site=reading.exam.site, by=request.user)
    return _page(request, reading, _panel(request.user, reading))


@login_required
@require_POST
def first_reading(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Record the grades of both eyes before the machine's are revealed; the answer holds the revealed panel."""
    reading = _reading_for(request, exam_id)
    panel = _panel(request.user, reading, request.POST)
    if not panel.are_valid():
        return _page(request, reading, panel, status=422)
    try:
        _require_as_seen(request, panel)
        with transaction.atomic():  # both eyes or none: half a reading must not reveal the machine's
            for eye, finding in panel.findings().items():
                if reading.first_reading(request.user, eye) is None:
                    record_first_reading(
                        exam=reading.exam,
                        laterality=eye,
                        is_gradable=finding.is_gradable,
                        grade=finding.grade,
                        macular_oedema=finding.macular_oedema,
                        by=request.user,
                    )
    except ReviewError as error:
        return _page(request, reading, panel, error=error, status=422)
    if not request.htmx:
        return redirect("screening:exam-review", exam_id)
    reading = get_exam(user=request.user, exam_id=exam_id)
    return _page(request, reading, _panel(request.user, reading))


@login_required
@require_POST
def preview(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Say what the policy makes of the form as it stands; nothing is stored."""
    reading = _reading_for(request, exam_id)
    panel = _panel(request.user, reading, request.POST)
    context: dict[str, Any] = {"is_ready": panel.are_valid()}
    if context["is_ready"]:
        try:
            decision, recall_on = preview_outcome(exam=reading.exam, findings=panel.findings(), by=request.user)
        except ReviewError as error:
            context |= {"is_ready": False, "error": error}
        else:
            outcome = Review.Outcome(decision.outcome)
            context |= {"outcome": outcome, "label": outcome.label, "recall_on": recall_on, "reasons": decision.reasons}
    return render(request, "screening/reviews/_preview.html", context)


@login_required
@require_POST
def sign(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Sign both eyes, or amend what was signed; then offer the next exam."""
    reading = _reading_for(request, exam_id)
    panel = _panel(request.user, reading, request.POST)
    form = SignForm(request.POST)
    if not (panel.are_valid() and form.is_valid()):
        return _page(request, reading, panel, form=form, status=422)
    try:
        _require_as_seen(request, panel)
        review = sign_review(
            exam=reading.exam,
            findings=panel.findings(),
            note=form.cleaned_data["note"],
            amends=reading.review if panel.is_amending else None,
            amend_reason=form.cleaned_data["amend_reason"] if panel.is_amending else "",
            by=request.user,
        )
    except ReviewError as error:
        return _page(request, reading, panel, form=form, error=error, status=422)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": review.get_outcome_display()})
    return redirect("screening:exam-review", exam_id)


def _reading_for(request: AuthenticatedRequest, exam_id: UUID) -> ExamReading:
    reading = get_exam(user=request.user, exam_id=exam_id)
    require(request.user, Action.REVIEW_EXAM, reading.exam.site)
    return reading


def _require_as_seen(request: AuthenticatedRequest, panel: ReviewPanel) -> None:
    """Raises ReviewError where a photograph was moved to the other eye after the page was loaded."""
    if request.POST.get("seen", panel.seen) != panel.seen:
        raise ReviewError(
            _("A photograph was moved to the other eye while you were reading. Reload the page and look again.")
        )


def _panel(user: User, reading: ExamReading, data: Any = None) -> ReviewPanel:
    return panel_of(reading, user, data=data, previous=get_previous_exam(user=user, exam=reading.exam))


def _page(
    request: AuthenticatedRequest,
    reading: ExamReading,
    panel: ReviewPanel,
    *,
    form: SignForm | None = None,
    error: ReviewError | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The whole page, or only its panel where htmx puts it in place."""
    if error is not None:
        eye_form = panel.forms.get(error.laterality) if error.laterality else None
        if eye_form is not None:
            eye_form.add_error(None, str(error))
    exam = reading.exam
    context = {
        "section": "worklist",
        "exam": exam,
        "patient": exam.patient,
        "age": exam.patient.age_on(timezone.localdate(timezone=exam.site.zone)),
        "panel": panel,
        "review": reading.review,
        "sign_form": form or SignForm(),
        "error": error if error is not None and error.laterality is None else None,
        "is_pending": reading.is_pending,
        "next_exam": _next_exam(request.user, exam) if reading.review else None,
    }
    return render(request, PANEL if request.htmx else PAGE, context, status=status)


def _next_exam(user: User, exam: Exam) -> Exam | None:
    sites = sites_for(user, Action.REVIEW_EXAM)
    return worklist(user=user).filter(site__in=sites).exclude(pk=exam.pk).first()

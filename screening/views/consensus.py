"""The page on which a senior reviewer decides between two readers who disagree."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require
from screening.forms.consensus import OWN, ConsensusForm
from screening.forms.readings import EyeReadingForm, EyeWithoutPhotographForm
from screening.models import AuditEvent, Reading, Review, User
from screening.policy import GradingScale
from screening.policy.exam_states import ExamState
from screening.selectors import ExamDetail, get_exam, get_previous_exam
from screening.selectors.reading_layouts import get_reading_layout
from screening.selectors.readings import may_arbitrate
from screening.selectors.visible_readings import readings_in_round
from screening.services.arbitrations import arbitrate
from screening.services.audit import record_event
from screening.services.reviews import ReviewError
from screening.views.blind_panels import BlindPanel
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.lesion_rules import rules_for_page
from screening.views.review_panel import EyeReviewForm
from screening.views.review_photos import best_first


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def exam_consensus(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """All readings with their marks; a POST signs one of them, or own findings, as the result.

    Redirects to the exam page if the exam does not wait for this user.
    """
    detail = get_exam(user=request.user, exam_id=exam_id)
    exam = detail.exam
    require(request.user, Action.ARBITRATE_EXAM, exam.site)
    if not may_arbitrate(user=request.user, exam=exam):
        text = _("You have read this exam yourself, so another senior reviewer decides.")
        is_waiting = exam.status == ExamState.ARBITRATION
        messages.info(request, text if is_waiting else _("This exam does not wait for a decision between two readers."))
        return redirect("screening:exam-detail", exam_id)
    readings = readings_in_round(user=request.user, exam=exam)
    data = request.POST if request.method == "POST" else None
    form, panel = ConsensusForm(data, readings=readings), _panel(request.user, detail, data)
    if data is None:
        return _page(request, detail, readings, form, panel)
    if not form.is_valid() or (form.cleaned_data["decision"] == OWN and not panel.are_valid()):
        return _page(request, detail, readings, form, panel, status=422)
    try:
        review = _arbitrate(request, detail, form, readings, panel)
    except ReviewError as error:
        form.add_error(None, str(error))
        return _page(request, detail, readings, form, panel, status=422)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": review.get_outcome_display()})
    return redirect("screening:exam-detail", exam_id)


def _arbitrate(
    request: AuthenticatedRequest, detail: ExamDetail, form: ConsensusForm, readings: list[Reading], panel: BlindPanel
) -> Review:
    """Raises ReviewError."""
    chosen, by = form.cleaned_data, request.user
    reason, note = chosen["reason"], chosen["note"]
    if chosen["decision"] != OWN:
        reading = next(one for one in readings if str(one.pk) == chosen["decision"])
        return arbitrate(exam=detail.exam, taken_over=reading, reason=reason, note=note, by=by)
    return arbitrate(exam=detail.exam, findings=panel.findings(), reason=reason, note=note, by=by)


def _panel(user: User, detail: ExamDetail, data: Mapping[str, str] | None) -> BlindPanel:
    """The forms for own findings and marks, with the photographs of this visit and of the one before.

    Findings that were sent with another decision stay on the page and are not checked.
    """
    entries, data = data or {}, data if data and data.get("decision") == OWN else None
    scale = GradingScale(detail.exam.site.scale)
    before = get_previous_exam(user=user, exam=detail.exam)
    photos = {eye.laterality: best_first(eye.images) for eye in before.eyes} if before else {}
    signed = before.review.findings.all() if before and before.review else ()
    found = {finding.laterality: finding for finding in signed}
    made = []
    for eye in detail.eyes:
        form: EyeReadingForm | EyeWithoutPhotographForm | None = None
        if not eye.absent_reason:
            prefix = f"{eye.laterality}-"
            sent = {name.removeprefix(prefix): text for name, text in entries.items() if name.startswith(prefix)}
            common: dict[str, Any] = {"data": data, "prefix": eye.laterality, "initial": sent}
            form = EyeReadingForm(**common, scale=scale) if eye.images else EyeWithoutPhotographForm(**common)
        made.append(
            EyeReviewForm(
                laterality=eye.laterality,
                absent_reason=eye.absent_reason,
                not_photographed_reason=eye.not_photographed_reason,
                images=best_first(eye.images),
                previous=photos.get(eye.laterality, ()),
                previous_finding=found.get(eye.laterality),
                form=form,
                first_reading=None,
                decisive_image=None,
            )
        )
    return BlindPanel(tuple(made))


def _page(
    request: AuthenticatedRequest,
    detail: ExamDetail,
    readings: list[Reading],
    form: ConsensusForm,
    panel: BlindPanel,
    *,
    status: int = 200,
) -> HttpResponseBase:
    exam = detail.exam
    record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=request.user)
    layout = get_reading_layout(user=request.user)
    layout.shows_panel = True  # it is below the decision, and shows the errors of the form
    context = {
        "section": "worklist",
        "exam": exam,
        "patient": exam.patient,
        "age": exam.patient.age_text_on(timezone.localdate(timezone=exam.site.zone)),
        "readings": readings,
        "form": form,
        "panel": panel,  # the model's result is not part of the decision
        "layout": layout,
        "lesion_rules": rules_for_page(GradingScale(exam.site.scale)),
    }
    return render(request, "screening/reviews/consensus.html", context, status=status)

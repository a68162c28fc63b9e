"""The page on which a senior reviewer decides between two readers who disagree."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from screening.access import Action, require
from screening.forms.consensus import OWN, ConsensusForm
from screening.forms.readings import EyeReadingForm, EyeWithoutPhotographForm
from screening.labels.dates import time_text
from screening.models import ArbitrationDraft, AuditEvent, Exam, Reading, Review, User
from screening.policy import GradingScale
from screening.policy.exam_states import ExamState
from screening.selectors import ExamDetail, get_exam, get_previous_exam, list_photos_in_use
from screening.selectors.drafts import get_decision_draft
from screening.selectors.exams import get_exam_to_read
from screening.selectors.reading_layouts import get_reading_layout
from screening.selectors.readings import may_arbitrate
from screening.selectors.visible_readings import readings_in_round
from screening.services.arbitration_drafts import NewerDecision, discard_decision_draft, save_decision_draft
from screening.services.arbitrations import arbitrate
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.reviews import ReviewError
from screening.views.blind_panels import BlindPanel
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.drafts import NEWER_DRAFT, posted_entries, posted_version
from screening.views.lesion_rules import rules_for_page
from screening.views.page_versions import page_version
from screening.views.review_panel import EyeReviewForm
from screening.views.review_photos import best_first

_ENTRIES = ("decision", "reason")
"""Of the form of the decision; the others are those of a reading."""


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
    draft = None if data is not None else _draft_of_page(request.user, detail)
    entries: Mapping[str, str] = data or (draft.entries if draft else {})
    form, panel = ConsensusForm(data, initial=entries, readings=readings), _panel(request.user, detail, entries, data)
    if data is None:
        return _page(request, detail, readings, form, panel, draft=draft)
    if not form.is_valid() or (form.cleaned_data["decision"] == OWN and not panel.are_valid()):
        return _page(request, detail, readings, form, panel, status=422)
    try:
        review = _arbitrate(request, detail, form, readings, panel)
    except ReviewError as error:
        form.add_error(None, str(error))
        return _page(request, detail, readings, form, panel, status=422)
    messages.success(request, _("Signed: %(outcome)s.") % {"outcome": review.get_outcome_display()})
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_POST
def consensus_draft(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Save the form while it is filled in: JSON with the version of the draft, or the reason why it is not saved."""
    exam = get_exam_to_read(user=request.user, exam_id=exam_id)
    require(request.user, Action.ARBITRATE_EXAM, exam.site)
    data = request.POST
    try:
        draft = save_decision_draft(
            exam=exam,
            entries=posted_entries(data, more=_ENTRIES),
            page_version=str(data.get("page_version", ""))[:16],
            version=None if "keep" in data else posted_version(data),
            by=request.user,
        )
    except NewerDecision as error:
        context = {"code": NEWER_DRAFT, "exam": exam, "draft": error.draft}
        notice = render_to_string("screening/reviews/_notice.html", context, request=request)
        return JsonResponse({"code": NEWER_DRAFT, "notice": notice, "version": error.draft.version}, status=409)
    except ExamError as error:
        return JsonResponse({"code": "refused", "message": str(error), "notice": ""}, status=422)
    time = time_text(draft.updated_at, exam.site.zone)
    return JsonResponse({"code": "", "notice": "", "version": draft.version, "time": time})


@login_required
@require_POST
def consensus_draft_discard(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Delete the draft; the page is empty then."""
    exam = get_exam_to_read(user=request.user, exam_id=exam_id)
    discard_decision_draft(exam=exam, by=request.user)
    messages.success(request, _("Your draft is discarded."))
    return redirect("screening:exam-consensus", exam_id)


def _draft_of_page(user: User, detail: ExamDetail) -> ArbitrationDraft | None:
    """The draft of the user, if it was made with these photographs in this round; else it is not shown."""
    draft = get_decision_draft(user=user, exam=detail.exam)
    return draft if draft is not None and draft.page_version == _page_version(detail.exam) else None


def _page_version(exam: Exam) -> str:
    return page_version(exam, list_photos_in_use(exam))


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


def _panel(user: User, detail: ExamDetail, entries: Mapping[str, str], data: Mapping[str, str] | None) -> BlindPanel:
    """The forms for own findings and marks, with the photographs of this visit and of the one before.

    Findings that were sent with another decision stay on the page and are not checked.
    """
    data = data if data and data.get("decision") == OWN else None
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
    draft: ArbitrationDraft | None = None,
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
        "draft": draft,
        "draft_version": request.POST.get("draft_version") or (draft.version if draft else 0),
        "page_version": _page_version(exam),
        "draft_url": reverse("screening:exam-consensus-draft", args=[exam.pk]),
        "discard_url": reverse("screening:exam-consensus-draft-discard", args=[exam.pk]),
        "page_url": reverse("screening:exam-consensus", args=[exam.pk]),
        "lesion_rules": rules_for_page(GradingScale(exam.site.scale)),
    }
    return render(request, "screening/reviews/consensus.html", context, status=status)

"""Exams of a teaching set: the page on which a reader grades one blind, and what was signed beside it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ml.vocabulary import Laterality
from screening.forms.readings import EyeReadingForm
from screening.models import AuditEvent, TeachingCase, TeachingReading, TeachingSet
from screening.policy import GradingScale
from screening.selectors.reading_layouts import get_reading_layout
from screening.selectors.teaching import get_case_to_read, get_progress, own_readings, photos_of_case
from screening.services.audit import record_event
from screening.services.structured_findings import ReviewError
from screening.services.teaching import TeachingError, record_teaching_readings
from screening.views.blind_panels import BlindPanel
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.lesion_rules import rules_for_page
from screening.views.parameters import require_parameters
from screening.views.review_panel import EyeReviewForm
from screening.views.review_photos import best_first
from screening.views.teaching import SECTION
from screening.views.teaching_truth import compare_readings


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def teaching_case(request: AuthenticatedRequest, case_id: UUID) -> HttpResponseBase:
    """Grade an exam of a set; after it is graded, what was signed, or that it is shown at the end."""
    require_parameters(request, known=())
    case = get_case_to_read(user=request.user, case_id=case_id)
    record_event(verb=AuditEvent.Verb.RECORD_VIEWED, subject=case, site=case.teaching_set.site, by=request.user)
    readings = own_readings(case, request.user)
    if readings:
        return _truth_page(request, case, readings)
    if case.teaching_set.archived_at is not None:
        messages.info(request, _("This teaching set is archived. Its exams are not read any more."))
        return redirect("screening:teaching-set", case.teaching_set_id)
    panel = _panel(case, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _reading_page(request, case, panel)
    if not panel.are_valid():
        return _reading_page(request, case, panel, status=422)
    try:
        record_teaching_readings(case=case, findings=panel.findings(), by=request.user)
    except (TeachingError, ReviewError) as error:
        return _reading_page(request, case, panel, status=422, error=error)
    return redirect("screening:teaching-case", case_id)


def _panel(case: TeachingCase, data: Mapping[str, str] | None) -> BlindPanel:
    """Forms for the eyes that have a photograph with a signed finding."""
    photos = photos_of_case(case)
    eyes = []
    for eye in Laterality:
        images = best_first(one for one in photos if one.image.laterality == eye)
        form = EyeReadingForm(data, prefix=eye, scale=GradingScale.ICDR) if eye in case.truth else None
        eyes.append(
            EyeReviewForm(
                laterality=eye,
                absent_reason="",
                not_photographed_reason="",
                images=images if form else (),
                previous=(),
                previous_finding=None,
                form=form,
                first_reading=None,
                decisive_image=None,
            )
        )
    return BlindPanel(tuple(eyes))


def _reading_page(
    request: AuthenticatedRequest,
    case: TeachingCase,
    panel: BlindPanel,
    *,
    status: int = 200,
    error: Exception | None = None,
) -> HttpResponseBase:
    context = {
        "section": SECTION,
        "case": case,
        "exam": case.exam,
        "panel": panel,
        "progress": get_progress(case.teaching_set, request.user),
        "layout": get_reading_layout(user=request.user),
        "lesion_rules": rules_for_page(GradingScale.ICDR),
        "is_teaching": True,
        "error": error,
    }
    return render(request, "screening/teaching/case.html", context, status=status)


def _truth_page(
    request: AuthenticatedRequest, case: TeachingCase, readings: Sequence[TeachingReading]
) -> HttpResponseBase:
    """The own reading beside what was signed, unless the set shows that after the last exam."""
    progress = get_progress(case.teaching_set, request.user)
    is_shown = case.teaching_set.shows_truth == TeachingSet.ShowsTruth.EACH or progress.next_case is None
    eyes = compare_readings(case, readings) if is_shown else []
    context = {"section": SECTION, "case": case, "progress": progress, "is_shown": is_shown, "eyes": eyes}
    return render(request, "screening/teaching/truth.html", context)

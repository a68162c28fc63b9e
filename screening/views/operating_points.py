"""The operating point of a site: what each choice would mean, the one in use, and its history."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ml.bundle import Bundle
from ml.errors import BundleError
from screening.access import Action, require, sites_for
from screening.forms.operating_points import OWN, OperatingPointForm, code_of
from screening.labels.thresholds import of_100, site_point_text, validation_point_text
from screening.models import Site
from screening.policy.operating_points import (
    MIN_CASES,
    OperatingPoint,
    area_under_curve,
    has_enough,
    points_at,
    roc_curve,
    validation_points,
)
from screening.selectors.signed_eyes import MAX_EXAMS, scored_exams
from screening.selectors.thresholds import list_thresholds, newest_threshold, threshold_in_use
from screening.services.active_bundles import bundle_in_use
from screening.services.thresholds import ThresholdRefused, change_operating_point
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters
from screening.views.site_settings import SECTION

PER_PAGE = 10
CHART_SIDE = 240
"""Of the square of the ROC curve, in units of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """A choice. ``x``, ``y``: where it lies in the chart; by the site's exams, or by validation without enough."""

    code: str
    threshold: float
    is_own: bool
    is_in_use: bool
    is_chosen: bool
    of_site: tuple[str, str] | None
    of_validation: tuple[str, str]
    sentences: list[str]
    x: float
    y: float


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_operating_point(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The choices of a site; a POST stores another one."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    try:
        bundle = bundle_in_use(site)
    except BundleError:
        messages.error(request, _("The model of this site cannot be read. Ask the administrator of the installation."))
        return redirect("screening:site", site.pk)
    thresholds = () if bundle.roc is None else bundle.roc.thresholds
    if request.method != "POST":
        newest = newest_threshold(site)
        form = OperatingPointForm(thresholds=thresholds, initial={"base": None if newest is None else newest.pk})
        return _page(request, site, bundle, form)
    form = OperatingPointForm(request.POST, thresholds=thresholds)
    if not form.is_valid():
        return _page(request, site, bundle, form, status=422)
    values = {"operating_point": form.operating_point, "reason": form.cleaned_data["reason"]}
    try:
        change_operating_point(site=site, **values, base_id=form.cleaned_data["base"], by=request.user)
    except ThresholdRefused as error:
        form.add_error(None, str(error))
        return _page(request, site, bundle, form, status=422)
    messages.success(
        request, _("The operating point is stored. It counts for photographs that are graded from now on.")
    )
    return redirect("screening:site-operating-point", site.pk)


def _page(
    request: AuthenticatedRequest, site: Site, bundle: Bundle, form: OperatingPointForm, *, status: int = 200
) -> HttpResponseBase:
    cases = scored_exams(site, bundle.model_version)
    corners = roc_curve(cases) if has_enough(cases) else []
    in_use = threshold_in_use(site, bundle.model_version)
    chosen = form["point"].value() or (OWN if in_use is None else code_of(in_use.operating_point))
    validation = [] if bundle.roc is None else validation_points(bundle.roc)
    of_site = points_at(cases, (point.threshold for point in validation)) if corners else [None] * len(validation)
    own = bundle.operating_point
    rows = [
        _row(point, site_point, own=own, in_use=own if in_use is None else in_use.operating_point, chosen=chosen)
        for point, site_point in zip(validation, of_site, strict=True)
    ]
    context = {
        "section": SECTION,
        "site": site,
        "bundle": bundle,
        "form": form,
        "rows": rows,
        "in_use": in_use,
        "n_referable": sum(case.is_referable for case in cases),
        "n_others": sum(not case.is_referable for case in cases),
        "min_cases": MIN_CASES,
        "max_exams": MAX_EXAMS,
        "has_site_metrics": bool(corners),
        "curve": " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_position, corners)),
        "area": area_under_curve(corners),
        "side": CHART_SIDE,
        "page": Paginator(list_thresholds(user=request.user, site=site), PER_PAGE).get_page(page_number(request)),
    }
    return render(request, "screening/sites/operating_point.html", context, status=status)


def _row(point: OperatingPoint, of_site: OperatingPoint | None, *, own: float, in_use: float, chosen: Any) -> PointRow:
    is_own = point.threshold == own
    code = OWN if is_own else code_of(point.threshold)
    shown = of_site or point
    x, y = _position((1 - (shown.specificity.value or 0.0), shown.sensitivity.value or 0.0))
    return PointRow(
        code=code,
        threshold=point.threshold,
        is_own=is_own,
        is_in_use=point.threshold == in_use,
        is_chosen=code == chosen,
        of_site=None if of_site is None else _found_and_sent(of_site),
        of_validation=_found_and_sent(point),
        sentences=[*([] if of_site is None else [site_point_text(of_site)]), validation_point_text(point)],
        x=round(x, 1),
        y=round(y, 1),
    )


def _found_and_sent(point: OperatingPoint) -> tuple[str, str]:
    return of_100(point.sensitivity), of_100(point.specificity, is_inverse=True)


def _position(corner: tuple[float, float]) -> tuple[float, float]:
    """A corner of the ROC curve in the picture, whose y goes down."""
    false_positive, sensitivity = corner
    return false_positive * CHART_SIDE, (1 - sensitivity) * CHART_SIDE

"""Re-gradings: beginning one, its progress, and a report of what changed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from ml.vocabulary import ServedModel
from screening.access import Action, require, sites_for
from screening.forms.regradings import RegradingForm
from screening.labels.regradings import REGRADING_STATE_LABELS, result_text
from screening.policy.regradings import RegradingAction, RegradingState
from screening.selectors.regradings import changed_exams, get_regrading, grade_changes, list_regradings
from screening.services.regradings import RegradingRefused, begin_regrading, change_regrading
from screening.views.bundles import SECTION
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_regradings(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The re-gradings of a site; a POST begins another one."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    form = RegradingForm(request.POST if request.method == "POST" else None, initial={"model": site.served_model})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = {name: data[name] for name in ("from_on", "to_on", "reason")}
        try:
            row = begin_regrading(
                site=site,
                model=ServedModel(data["model"]),
                **values,
                regrading_id=data["regrading"],
                by=request.user,
            )
        except RegradingRefused as error:
            form.add_error(None, str(error))
        else:
            return redirect("screening:regrading", row.pk)
    page = Paginator(list_regradings(user=request.user, site=site), PER_PAGE).get_page(page_number(request))
    context = {
        "section": SECTION,
        "site": site,
        "form": form,
        "page": page,
        "rows": [(row, REGRADING_STATE_LABELS[RegradingState(row.state)]) for row in page.object_list],
    }
    return render(request, "screening/models/regradings.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def regrading_detail(request: AuthenticatedRequest, regrading_id: UUID) -> HttpResponseBase:
    """Progress of one, and what changed. Exams whose model's result the user may not see yet are counted alone."""
    require_parameters(request, known={"page"})
    regrading = get_regrading(user=request.user, regrading_id=regrading_id)
    changed = changed_exams(regrading, user=request.user)
    shown = changed.filter(is_revealed=True)
    context = {
        "section": SECTION,
        "site": regrading.site,
        **_progress(regrading),
        "changes": [(_text(old), _text(new), n, old != new) for old, new, n in grade_changes(regrading)],
        "n_hidden": changed.filter(is_revealed=False).count(),
        "page": Paginator(shown, PER_PAGE).get_page(page_number(request)),
    }
    return render(request, "screening/models/regrading.html", context)


@login_required
@require_safe
def regrading_status(request: AuthenticatedRequest, regrading_id: UUID) -> HttpResponseBase:
    """How far one is, as a fragment of its page, which is loaded again once it stops."""
    require_parameters(request, known=())
    context = _progress(get_regrading(user=request.user, regrading_id=regrading_id))
    if request.htmx and not context["is_running"]:
        return HttpResponseClientRefresh()
    return render(request, "screening/models/_regrading_progress.html", context)


def _progress(regrading: Any) -> dict[str, Any]:
    return {
        "regrading": regrading,
        "state_label": REGRADING_STATE_LABELS[RegradingState(regrading.state)],
        "is_running": regrading.state == RegradingState.RUNNING,
    }


def _text(result: tuple[int | None, bool | None]) -> str:
    grade, is_gradable = result
    return result_text(grade, is_gradable=is_gradable)


@login_required
@require_POST
def regrading_pause(request: AuthenticatedRequest, regrading_id: UUID) -> HttpResponseBase:
    """Pause it: the photograph that is being graded is the last one."""
    return _change(request, regrading_id, RegradingAction.PAUSE)


@login_required
@require_POST
def regrading_resume(request: AuthenticatedRequest, regrading_id: UUID) -> HttpResponseBase:
    """Go on with it."""
    return _change(request, regrading_id, RegradingAction.RESUME)


@login_required
@require_POST
def regrading_cancel(request: AuthenticatedRequest, regrading_id: UUID) -> HttpResponseBase:
    """Cancel it; what it graded stays."""
    return _change(request, regrading_id, RegradingAction.CANCEL)


def _change(request: AuthenticatedRequest, regrading_id: UUID, action: RegradingAction) -> HttpResponseBase:
    regrading = get_regrading(user=request.user, regrading_id=regrading_id)
    try:
        change_regrading(regrading=regrading, action=action, by=request.user)
    except RegradingRefused as error:
        messages.error(request, str(error))
    return redirect("screening:regrading", regrading.pk)

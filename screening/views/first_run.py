"""First steps of a new site: the list of what is done, the practice exam, and closing both."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from screening.access import Action, can, require, sites_for
from screening.labels.first_run import STEP_LABELS, STEP_NOTES
from screening.models import Site, User
from screening.policy.exam_states import WAITING
from screening.selectors.first_run import FirstRun, FirstStep
from screening.services.practice import begin_practice, close_first_run
from screening.views.decorators import AuthenticatedRequest, limit_photos, login_required

_OF_EXAM = {
    FirstStep.PHOTOGRAPH: "screening:exam-detail",
    FirstStep.READ: "screening:exam-review",
    FirstStep.REPORT: "screening:exam-reports",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One line of the list. ``begins_practice``: a button of the line begins a practice exam."""

    label: str
    note: str
    is_done: bool
    is_next: bool
    address: str
    begins_practice: bool


def step_lines(run: FirstRun, user: User) -> list[StepLine]:
    """The lines of the first steps; those of the practice exam lead to it if ``user`` practises."""
    exam = run.exam if run.exam is not None and can(user, Action.VIEW_PATIENT, run.exam.site) else None
    addresses = {
        FirstStep.SITE: reverse("screening:site", args=[run.site.pk]),
        FirstStep.PROTOCOL: reverse("screening:site-protocol", args=[run.site.pk]),
        FirstStep.PEOPLE: f"{reverse('screening:site-staff', args=[run.site.pk])}#invite",
    }
    if exam is not None:
        addresses |= {step: reverse(name, args=[exam.pk]) for step, name in _OF_EXAM.items()}
    return [
        StepLine(
            label=str(STEP_LABELS[step]),
            note=str(STEP_NOTES[step]),
            is_done=step in run.done,
            is_next=step is run.next_step,
            address=addresses.get(step, ""),
            begins_practice=_begins_practice(run, step) and step not in addresses,
        )
        for step in FirstStep
    ]


def _begins_practice(run: FirstRun, step: FirstStep) -> bool:
    return step not in run.done and (step is FirstStep.PHOTOGRAPH or (step is run.next_step and step in _OF_EXAM))


@login_required
@limit_photos
@require_POST
def site_practice(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Begin a practice exam of drawn photographs, or go on with the one that is not signed."""
    exam = begin_practice(site=_managed_site(request, site_id), by=request.user)
    if exam.status in WAITING:
        return redirect("screening:exam-review", exam.pk)
    messages.info(request, _("This is practice: the photographs are drawn, and nothing of it counts."))
    return redirect("screening:exam-detail", exam.pk)


@login_required
@require_POST
def site_first_run_close(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Hide the first steps of a site, and end the practice."""
    site = _managed_site(request, site_id)
    close_first_run(site=site, by=request.user)
    messages.success(request, _("The first steps are closed."))
    return redirect("screening:site", site.pk)


def _managed_site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    return site

"""Certificates of readers, and the way through a teaching set."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from screening.access import Action, require
from screening.policy.proportions import Proportion
from screening.selectors.teaching import get_progress, get_teaching_set, list_certificates
from screening.services.teaching import TeachingError
from screening.services.teaching_certificates import is_unchanged, issue_certificate
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import require_parameters
from screening.views.teaching import SECTION


@login_required
@require_safe
def teaching_set_next(request: AuthenticatedRequest, set_id: UUID) -> HttpResponseBase:
    """Redirect to the next exam to read, or to the set after the last one."""
    found = get_teaching_set(user=request.user, set_id=set_id)
    require(request.user, Action.READ_TEACHING_SET, found.site)
    following = get_progress(found, request.user).next_case
    if following is None or found.archived_at is not None:
        return redirect("screening:teaching-set", set_id)
    return redirect("screening:teaching-case", following.pk)


@login_required
@require_POST
def teaching_set_certificate(request: AuthenticatedRequest, set_id: UUID) -> HttpResponseBase:
    """Issue the certificate of the reader."""
    found = get_teaching_set(user=request.user, set_id=set_id)
    try:
        certificate = issue_certificate(teaching_set=found, by=request.user)
    except TeachingError as error:
        messages.error(request, str(error))
        return redirect("screening:teaching-set", set_id)
    return redirect("screening:teaching-certificate", certificate.pk)


@login_required
@require_safe
def teaching_certificate(request: AuthenticatedRequest, certificate_id: UUID) -> HttpResponseBase:
    """A certificate, for its reader and for managers of the site."""
    require_parameters(request, known=())
    rows = list_certificates(user=request.user)
    certificate = get_object_or_404(rows, pk=certificate_id)
    context = {
        "section": SECTION,
        "certificate": certificate,
        "is_unchanged": is_unchanged(certificate),
        "sensitivity": Proportion(*certificate.metrics["sensitivity"]),
        "specificity": Proportion(*certificate.metrics["specificity"]),
    }
    return render(request, "screening/teaching/certificate.html", context)

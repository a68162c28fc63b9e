"""Shadow mode of a site: its comparison with the model in use, and its history."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import is_superuser, require_superuser
from screening.forms.shadows import ShadowForm
from screening.labels.paired_models import difference_text, failure_text, p_text
from screening.models import RegisteredBundle, Site
from screening.policy.paired_models import KAPPA_MARGIN, MARGIN, MIN_REFERABLE
from screening.selectors.shadows import compare_shadow, count_shadow, list_shadows, newest_shadow
from screening.selectors.signed_eyes import MAX_EXAMS
from screening.services.active_bundles import version_in_use
from screening.services.registered_bundles import BundleRefused
from screening.services.shadows import change_shadow
from screening.views.bundles import SECTION, get_managed_site
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_shadow(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Shadow mode of a site, for its managers; a superuser changes it."""
    require_parameters(request, known={"page"})
    site = get_managed_site(request.user, site_id)
    newest = newest_shadow(site)
    initial: dict[str, Any] = {"base": None if newest is None else newest.pk}
    if newest is not None:
        initial |= {"bundle": newest.bundle_id, "since": newest.since}
    form = ShadowForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        require_superuser(request.user)
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in ("bundle", "since", "reason")}
            try:
                change_shadow(site=site, **values, base_id=form.cleaned_data["base"], by=request.user)
            except BundleRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The change is stored."))
                return redirect("screening:site-shadow", site.pk)
    page = Paginator(list_shadows(site), PER_PAGE).get_page(page_number(request))
    context = {
        "section": SECTION,
        "site": site,
        "form": form,
        "newest": newest,
        "may_change": is_superuser(request.user),
        "page": page,
        **_comparison(site, newest.bundle if newest is not None else None),
    }
    return render(request, "screening/models/shadow.html", context, status=422 if form.errors else 200)


def _comparison(site: Site, bundle: RegisteredBundle | None) -> dict[str, Any]:
    if bundle is None:
        return {}
    version = version_in_use(site)
    if version == bundle.model_version:
        return {"is_in_use": True}
    found = compare_shadow(site, bundle, model_version=version)
    return {
        "version": version,
        "comparison": found,
        "counts": count_shadow(site, bundle),
        "sensitivity_difference": difference_text(found.sensitivity, is_percent=True),
        "specificity_difference": difference_text(found.specificity, is_percent=True),
        "kappa_difference": difference_text(found.kappa, is_percent=False),
        "p_sensitivity": p_text(found.p_sensitivity),
        "p_specificity": p_text(found.p_specificity),
        "failures": [failure_text(one, found) for one in found.failures],
        "least": MIN_REFERABLE,
        "margin": round(100 * MARGIN),
        "kappa_margin": KAPPA_MARGIN,
        "max_exams": MAX_EXAMS,
    }

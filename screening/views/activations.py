"""The model in use at a site: which bundle grades its new photographs, its history, and the change of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ml.errors import BundleError
from screening.access import Action, can, is_superuser, require_superuser
from screening.forms.activations import ActivationForm
from screening.labels.paired_models import report_text
from screening.models import BundleActivation, RegisteredBundle, Site, User
from screening.selectors.activations import list_activations, newest_activation
from screening.services.activations import ActivationRefused, activate_bundle, return_to_release
from screening.services.active_bundles import bundle_in_use, version_in_use
from screening.views.bundles import SECTION, get_managed_site
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_activation(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The model in use at a site, for its managers; a superuser changes it."""
    require_parameters(request, known={"page"})
    site = get_managed_site(request.user, site_id)
    newest = newest_activation(site, site.served_model)
    initial: dict[str, Any] = {} if newest is None else {"base": newest.pk, "bundle": newest.bundle_id}
    form = ActivationForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        require_superuser(request.user)
        if form.is_valid() and _is_changed(form, site, request.user):
            messages.success(request, _("The change is stored. It counts for photographs that are added from now on."))
            return redirect("screening:site-activation", site.pk)
    page = Paginator(list_activations(site, site.served_model), PER_PAGE).get_page(page_number(request))
    context = {
        "section": SECTION,
        "site": site,
        "form": form,
        "newest": newest,
        "version": version_in_use(site),
        "problem": _problem(site),
        "may_change": is_superuser(request.user),
        "may_manage": can(request.user, Action.MANAGE_SITE, site),
        "page": page,
        "rows": [(row, report_text(row.report)) for row in page.object_list],
    }
    return render(request, "screening/models/activation.html", context, status=422 if form.errors else 200)


def _is_changed(form: ActivationForm, site: Site, by: User) -> bool:
    """Store what the form asks for; False, with errors on the form, if that is refused."""
    try:
        _change(site, form.cleaned_data["bundle"], form.cleaned_data["reason"], form.cleaned_data["base"], by)
    except ActivationRefused as error:
        for problem in error.problems:
            form.add_error(None, problem)
        return False
    return True


def _change(
    site: Site, bundle: RegisteredBundle | None, reason: str, base_id: UUID | None, by: User
) -> BundleActivation:
    if bundle is None:
        return return_to_release(site=site, reason=reason, base_id=base_id, by=by)
    return activate_bundle(site=site, bundle=bundle, reason=reason, base_id=base_id, by=by)


def _problem(site: Site) -> str:
    """Why the bundle in use cannot be read; empty if it can."""
    try:
        bundle_in_use(site)
    except BundleError as error:
        return str(error)
    return ""

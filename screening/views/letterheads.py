"""The letterhead of a site."""

import base64
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require, sites_for
from screening.forms.documents import LetterheadForm
from screening.forms.stored_values import BASE, show_stored
from screening.selectors.documents import letterhead_of
from screening.services.letterheads import LogoRefused, change_letterhead, stored_letterhead
from screening.stored_values import ValuesChanged, entered_values
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_letterhead(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Name, address and logo at the head of the documents of a site; a manager changes them."""
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    last = letterhead_of(site)
    form = LetterheadForm.of(stored_letterhead(site), request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values, file = form.cleaned_data, form.cleaned_data["logo"]
        try:
            change_letterhead(
                site=site,
                name=values["name"],
                address=values["address"],
                hospital_address=values["hospital_address"],
                logo=None if file is None else file.read(),
                without_logo=values["without_logo"],
                base=values[BASE],
                by=request.user,
            )
        except ValuesChanged as error:
            entered = entered_values(values, values[BASE])
            show_stored(form, error, LetterheadForm.of(stored_letterhead(site)), entered)
        except LogoRefused as error:
            form.add_error("logo", str(error))
        else:
            messages.success(request, _("The letterhead is stored. Documents that are made from now on have it."))
            return redirect("screening:site-letterhead", site.pk)
    logo = "" if last is None or not last.logo else base64.b64encode(bytes(last.logo)).decode()
    context = {"site": site, "form": form, "letterhead": last, "logo": logo, "section": "site"}
    return render(request, "screening/sites/letterhead.html", context, status=422 if form.errors else 200)

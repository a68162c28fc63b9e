"""The first site of a new installation."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.forms import FirstSiteForm
from screening.services.sites import create_first_site, require_first_site
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_create_first(request: AuthenticatedRequest) -> HttpResponseBase:
    """Create the first site, then redirect to its page with the first steps."""
    require_first_site(request.user)
    form = FirstSiteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            site = create_first_site(**form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, " ".join(error.messages))
        else:
            message = _("%(site)s is created and you are its manager. Go on with the next step.")
            messages.success(request, message % {"site": site.name})
            return redirect("screening:site", site.pk)
    return render(request, "screening/sites/first.html", {"form": form}, status=422 if form.errors else 200)

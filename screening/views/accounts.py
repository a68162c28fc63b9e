"""A person's own account: another password."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.services.accounts import change_password
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: AuthenticatedRequest) -> HttpResponseBase:
    """Ask for the old password and twice for the new one; other sessions of this person end."""
    is_forced = request.user.must_change_password
    form = PasswordChangeForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if request.user.check_password(form.cleaned_data["new_password1"]):
            form.add_error("new_password1", _("This is the password you have. Choose another one."))
        else:
            change_password(password=form.cleaned_data["new_password1"], by=request.user)
            update_session_auth_hash(request, cast("Any", request.user))
            messages.success(request, _("Your password is changed."))
            return redirect("screening:worklist")
    status = 422 if form.errors else 200
    return render(request, "registration/password.html", {"form": form, "is_forced": is_forced}, status=status)

"""The user's account."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.forms import LogInForm, NewPasswordForm
from screening.models import User
from screening.services.accounts import change_password, clear_failed_logins
from screening.views.decorators import AuthenticatedRequest, login_required

MIN_FAILURES_SHOWN = 3
"""One or two are those of the person who logs in."""


class LogIn(LoginView):
    """The log-in. Afterwards the person learns of wrong passwords that were entered for the account."""

    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in."""
        response = super().form_valid(form)
        user = cast("User", self.request.user)
        n_failed = clear_failed_logins(by=user)
        if n_failed >= MIN_FAILURES_SHOWN:
            text = _(
                "Since your last log-in, a wrong password was entered %(n)d times for your account. "
                "If that was not you, change your password and tell your administrator."
            )
            messages.warning(self.request, text % {"n": n_failed})
        return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request: AuthenticatedRequest) -> HttpResponseBase:
    """Change the user's password. The user's other sessions end."""
    form = NewPasswordForm(request)
    if request.method == "POST" and form.is_valid():
        if request.user.check_password(form.cleaned_data["new_password1"]):
            form.add_error("new_password1", _("This is your current password. Choose a different one."))
        else:
            change_password(password=form.cleaned_data["new_password1"], by=request.user)
            update_session_auth_hash(request, cast("Any", request.user))
            messages.success(request, _("Your password is changed."))
            return redirect("screening:worklist")
    context = {"form": form, "is_forced": request.user.must_change_password}
    return render(request, "registration/password.html", context, status=422 if form.errors else 200)

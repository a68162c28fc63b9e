"""The user's account."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from screening.forms import LanguageChoiceForm, LogInForm, NewPasswordForm
from screening.models import User
from screening.services.accounts import change_password, choose_language, clear_failed_logins
from screening.services.exam_locks import release_all_exams
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
            text = ngettext(
                "Since your last log-in, a wrong password was entered %(n)d time for your account. "
                "If that was not you, change your password and tell your administrator.",
                "Since your last log-in, a wrong password was entered %(n)d times for your account. "
                "If that was not you, change your password and tell your administrator.",
                n_failed,
            )
            messages.warning(self.request, text % {"n": n_failed})
        return response


class LogOut(LogoutView):
    """The log-out. Exams that the user was reading are free again."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Log out."""
        if isinstance(request.user, User):
            release_all_exams(by=request.user)
        return super().post(request, *args, **kwargs)


@require_POST
def language_choice(request: HttpRequest) -> HttpResponse:
    """Show pages in another language: kept with the account of a user, else in a cookie. Back to the page."""
    form = LanguageChoiceForm(request.POST)
    back = request.POST.get("next", "")
    is_own = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if is_own and back.startswith("/") else "screening:worklist")
    if not form.is_valid():  # the language was removed after the page was made
        return response
    language = form.cleaned_data["language"]
    if isinstance(request.user, User):
        choose_language(language=language, by=request.user)
    else:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
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
    languages = LanguageChoiceForm(initial={"language": request.user.language})
    context = {"form": form, "is_forced": request.user.must_change_password, "language_form": languages}
    return render(request, "registration/password.html", context, status=422 if form.errors else 200)

"""The page on which a person accepts an invitation to a site, with a new or an existing account.

The code of the link comes after ``#``, which browsers do not send: no log has it. The page sends it by POST.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from screening.forms.staff import AccountForm, InvitationCodeForm
from screening.models import Invitation
from screening.services.invitations import (
    InvitationRefused,
    UnusableInvitation,
    accept_invitation,
    create_account,
    find_invitation,
    get_invitation,
)
from screening.throttling import InvitationThrottle
from screening.views.decorators import AuthenticatedRequest, login_required, refuse_too_many, require_form
from screening.views.parameters import require_parameters

_SESSION_KEY = "invitation"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def invitation(request: HttpRequest) -> HttpResponseBase:
    """Ask for the code; after it, show the invitation and how to accept it."""
    require_parameters(request, known=())
    if request.method != "POST":
        return _page(request)
    if (refusal := refuse_too_many(request, InvitationThrottle())) is not None:
        return refusal
    form = InvitationCodeForm(request.POST)
    if not form.is_valid():
        return _code_page(request, form)
    try:
        found = find_invitation(form.cleaned_data["code"])
    except UnusableInvitation as error:
        return _code_page(request, InvitationCodeForm(), problem=str(error))
    request.session[_SESSION_KEY] = str(found.pk)
    return redirect("screening:invitation")


@require_form("screening:invitation")
@sensitive_post_parameters()
def invitation_account(request: HttpRequest) -> HttpResponseBase:
    """Accept the invitation with a new account, and log in."""
    if (refusal := refuse_too_many(request, InvitationThrottle())) is not None:
        return refusal
    invitation_id, form = _invitation_id(request), AccountForm(request.POST)
    if request.user.is_authenticated or invitation_id is None:
        return redirect("screening:invitation")
    if not form.is_valid():
        return _page(request, form)
    try:
        user = create_account(invitation_id=invitation_id, **form.account)
    except (UnusableInvitation, InvitationRefused, ValidationError) as error:
        form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        return _page(request, form)
    del request.session[_SESSION_KEY]
    login(request, user, backend=_BACKEND)
    messages.success(request, _("Welcome. Your account is ready."))
    return redirect("screening:worklist")


@login_required
@require_form("screening:invitation")
def invitation_accept(request: AuthenticatedRequest) -> HttpResponseBase:
    """Accept the invitation with the account of the user."""
    invitation_id = _invitation_id(request)
    if invitation_id is None:
        return redirect("screening:invitation")
    try:
        accepted = accept_invitation(invitation_id=invitation_id, by=request.user)
    except UnusableInvitation:
        return _page(request)
    except InvitationRefused as error:
        del request.session[_SESSION_KEY]
        messages.error(request, str(error))
        return redirect("screening:invitation")
    del request.session[_SESSION_KEY]
    messages.success(request, _("You now work at %(site)s too.") % {"site": accepted.workplace})
    return redirect("screening:worklist")


def _invitation_id(request: HttpRequest) -> UUID | None:
    stored = request.session.get(_SESSION_KEY)
    return None if stored is None else UUID(stored)


def _page(request: HttpRequest, account_form: AccountForm | None = None) -> HttpResponseBase:
    """The invitation of the session; else the form for its code."""
    invitation_id = _invitation_id(request)
    if invitation_id is None:
        return _code_page(request, InvitationCodeForm())
    try:
        found = get_invitation(invitation_id)
    except UnusableInvitation as error:
        del request.session[_SESSION_KEY]
        return _code_page(request, InvitationCodeForm(), problem=str(error))
    return _invitation_page(request, found, account_form or AccountForm())


def _invitation_page(request: HttpRequest, found: Invitation, form: AccountForm) -> HttpResponseBase:
    context = {"invitation": found, "form": form}
    return _private(render(request, "registration/invitation.html", context, status=422 if form.errors else 200))


def _code_page(request: HttpRequest, form: InvitationCodeForm, *, problem: str = "") -> HttpResponseBase:
    """NB: the same answer for a code that is unknown, used, cancelled or expired."""
    context, status = {"form": form, "problem": problem}, 422 if form.errors or problem else 200
    return _private(render(request, "registration/invitation_code.html", context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    return response

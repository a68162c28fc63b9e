"""Staff of a site: the list with open invitations, one person, and the history."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from screening.access import Action, require, sites_for
from screening.forms.staff import InvitationForm, StaffForm
from screening.models import Site, User
from screening.models.staff import role_labels
from screening.selectors.staff import get_staff_member, list_staff, list_staff_changes, open_invitations, staff_state
from screening.services.invitations import InvitationRefused, can_send_mail, cancel_invitation, invite, mail_invitation
from screening.services.staff import StaffChangeRefused, StaffConflict, change_staff
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters, value_of

PER_PAGE, CHANGES_PER_PAGE = 25, 10
SECTION = "site"
DEACTIVATE = "deactivate"
ACTIONS = ("save", DEACTIVATE)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_staff(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The persons of a site and its open invitations; a POST invites a person."""
    require_parameters(request, known={"page"})
    site = _managed_site(request, site_id)
    if request.method != "POST":
        return _list_page(request, site, InvitationForm(has_mail=can_send_mail()))
    form = InvitationForm(request.POST, has_mail=can_send_mail())
    if not form.is_valid():
        return _list_page(request, site, form, status=422)
    values = {name: form.cleaned_data[name] for name in ("email", "roles", "reason")}
    try:
        invitation, code = invite(site=site, **values, by=request.user)
    except InvitationRefused as error:
        form.add_error(None, str(error))
        return _list_page(request, site, form, status=422)
    link = request.build_absolute_uri(f"{reverse('screening:invitation')}#{code}")
    if form.is_by_mail and mail_invitation(invitation=invitation, link=link):
        messages.success(request, _("The invitation was sent to %(email)s.") % {"email": invitation.email})
        return redirect("screening:site-staff", site.pk)
    context = {"section": SECTION, "site": site, "invitation": invitation, "link": link, "is_unsent": form.is_by_mail}
    return render(request, "screening/sites/invited.html", context)


@login_required
@require_POST
def site_invitation_cancel(request: AuthenticatedRequest, site_id: UUID, invitation_id: UUID) -> HttpResponseBase:
    """Cancel an open invitation: its link works no more."""
    site = _managed_site(request, site_id)
    invitation = get_object_or_404(site.invitations.select_related("site"), pk=invitation_id)
    cancel_invitation(invitation=invitation, by=request.user)
    messages.success(request, _("The invitation is cancelled: its link does not work any more."))
    return redirect("screening:site-staff", site.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_staff_member(request: AuthenticatedRequest, site_id: UUID, user_id: UUID) -> HttpResponseBase:
    """One person: the roles at the site, deactivation there, and the history."""
    require_parameters(request, known={"page"})
    site = _managed_site(request, site_id)
    person = get_staff_member(user=request.user, site=site, user_id=user_id)
    if request.method != "POST":
        return _member_page(request, site, person, _member_form(site, person))
    is_active = value_of(request.POST, "action", values=ACTIONS, default="save") != DEACTIVATE
    form = _member_form(site, person, request.POST)
    form.fields["roles"].required = is_active
    if not form.is_valid():
        return _member_page(request, site, person, form, status=422)
    values = {name: form.cleaned_data[name] for name in ("roles", "reason", "base")}
    try:
        change_staff(site=site, person=person, **values, is_active=is_active, by=request.user)
    except StaffConflict as error:
        changed = request.POST.copy()  # sent again, the entries are based on what is stored now
        changed["base"] = staff_state(site, person).version
        form.data = changed
        form.add_error(None, str(error))
        return _member_page(request, site, person, form, status=409)
    except StaffChangeRefused as error:
        form.add_error(None, str(error))
        return _member_page(request, site, person, form, status=422)
    messages.success(request, _("The change is stored."))
    return redirect("screening:site-staff", site.pk)


@login_required
@require_safe
def site_staff_history(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """All changes in the staff of a site, with invitations."""
    require_parameters(request, known={"page"})
    site = _managed_site(request, site_id)
    page = _changes_page(request, site)
    context = {"section": SECTION, "site": site, "page": page}
    return render(request, "screening/sites/staff_history.html", context)


def _managed_site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    return site


def _member_form(site: Site, person: User, data: Any = None) -> StaffForm:
    state = staff_state(site, person)
    return StaffForm(data, initial={"roles": list(state.roles), "base": state.version})


def _list_page(
    request: AuthenticatedRequest, site: Site, form: InvitationForm, *, status: int = 200
) -> HttpResponseBase:
    page = Paginator(list_staff(user=request.user, site=site), PER_PAGE).get_page(page_number(request))
    people: list[Any] = list(page.object_list)
    context = {
        "section": SECTION,
        "site": site,
        "page": page,
        "rows": [(one, role_labels([row.role for row in one.site_roles])) for one in people],
        "invitations": list(open_invitations(site)),
        "form": form,
    }
    return render(request, "screening/sites/staff.html", context, status=status)


def _member_page(
    request: AuthenticatedRequest, site: Site, person: User, form: StaffForm, *, status: int = 200
) -> HttpResponseBase:
    state = staff_state(site, person)
    context = {
        "section": SECTION,
        "site": site,
        "person": person,
        "state": state,
        "stored_roles": role_labels(list(state.roles)),
        "may_change": request.user.is_superuser or not person.is_superuser,
        "form": form,
        "page": _changes_page(request, site, person),
    }
    return render(request, "screening/sites/staff_member.html", context, status=status)


def _changes_page(request: AuthenticatedRequest, site: Site, person: User | None = None) -> Any:
    changes = list_staff_changes(user=request.user, site=site, person=person)
    return Paginator(changes, CHANGES_PER_PAGE).get_page(page_number(request))

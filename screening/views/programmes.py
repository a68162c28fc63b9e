"""Programmes: the list, one programme with its sites and managers, and the forms that change it."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from screening.access import AccessDenied, Action, is_superuser, programmes_for, require_superuser, sites_for
from screening.forms.programmes import ManagerInvitationForm, ProgrammeForm, ProgrammeSitesForm
from screening.labels.sentences import joined
from screening.models import Programme
from screening.selectors.programmes import (
    get_programme,
    list_manager_changes,
    list_managers,
    list_programme_sites,
    list_programmes,
    open_manager_invitations,
)
from screening.services.invitations import (
    InvitationRefused,
    can_send_mail,
    cancel_invitation,
    invite_manager,
    mail_invitation,
)
from screening.services.programmes import NotAManager, SitesConflict, change_sites, remove_manager, save_programme
from screening.views.decorators import AuthenticatedRequest, login_required, require_form
from screening.views.parameters import page_number, require_parameters

PER_PAGE, N_CHANGES = 25, 20
SECTION = "site"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def programme_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The programmes of the user; a POST of a superuser creates one."""
    require_parameters(request, known={"page"})
    may_create = is_superuser(request.user)
    if not (may_create or programmes_for(request.user).exists()):
        raise AccessDenied(_("You do not manage a programme. Ask one of its managers for access."))
    form = ProgrammeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        programme = save_programme(programme=Programme(name=form.cleaned_data["name"]), by=request.user)
        return redirect("screening:programme", programme.pk)
    page = Paginator(list_programmes(request.user), PER_PAGE).get_page(page_number(request))
    context = {"section": SECTION, "page": page, "form": form if may_create else None}
    return render(request, "screening/programmes/list.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def programme_detail(request: AuthenticatedRequest, programme_id: UUID) -> HttpResponseBase:
    """The sites of a programme with key states, and its managers; a POST invites one."""
    require_parameters(request, known={"page"})
    programme = get_programme(user=request.user, programme_id=programme_id)
    form = ManagerInvitationForm(request.POST or None, has_mail=can_send_mail())
    if request.method != "POST" or not form.is_valid():
        return _page(request, programme, invitation_form=form)
    email, reason = form.cleaned_data["email"], form.cleaned_data["reason"]
    try:
        invitation, code = invite_manager(programme=programme, email=email, reason=reason, by=request.user)
    except InvitationRefused as error:
        form.add_error(None, str(error))
        return _page(request, programme, invitation_form=form)
    link = request.build_absolute_uri(f"{reverse('screening:invitation')}#{code}")
    if form.is_by_mail and mail_invitation(invitation=invitation, link=link):
        messages.success(request, _("The invitation was sent to %(email)s.") % {"email": invitation.email})
        return redirect("screening:programme", programme.pk)
    context = {"section": SECTION, "invitation": invitation, "link": link, "is_unsent": form.is_by_mail}
    return render(request, "screening/sites/invited.html", context | {"programme": programme})


@login_required
@require_form("screening:programme")
def programme_name(request: AuthenticatedRequest, programme_id: UUID) -> HttpResponseBase:
    """Rename a programme."""
    programme = get_programme(user=request.user, programme_id=programme_id)
    form = ProgrammeForm(request.POST, instance=Programme.objects.get(pk=programme.pk))
    if not form.is_valid():
        return _page(request, programme, name_form=form)
    save_programme(programme=form.instance, by=request.user)
    messages.success(request, _("The change is stored."))
    return redirect("screening:programme", programme.pk)


@login_required
@require_form("screening:programme")
def programme_sites(request: AuthenticatedRequest, programme_id: UUID) -> HttpResponseBase:
    """Choose the sites of a programme."""
    programme = get_programme(user=request.user, programme_id=programme_id)
    require_superuser(request.user)
    form = ProgrammeSitesForm(request.POST, programme=programme)
    if not form.is_valid():
        return _page(request, programme, sites_form=form)
    chosen, base = form.cleaned_data["sites"], form.cleaned_data["base"]
    try:
        moved = change_sites(programme=programme, chosen=chosen, base=base, by=request.user)
    except SitesConflict as conflict:
        form.refuse(str(conflict))
        return _page(request, programme, sites_form=form)
    messages.success(request, _("The change is stored."))
    if moved:
        names = joined(site.name for site in moved)
        text = _("Another person changed these sites meanwhile, and they stay so: %(sites)s.") % {"sites": names}
        messages.warning(request, text)
    return redirect("screening:programme", programme.pk)


@login_required
@require_POST
def programme_manager_remove(request: AuthenticatedRequest, programme_id: UUID, user_id: UUID) -> HttpResponseBase:
    """End the access of a manager to the sites of a programme."""
    programme = get_programme(user=request.user, programme_id=programme_id)
    person = get_object_or_404(list_managers(programme), pk=user_id)
    try:
        remove_manager(programme=programme, person=person, by=request.user)
    except NotAManager as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(who)s does not manage this programme any more.") % {"who": person})
    if programmes_for(request.user).filter(pk=programme.pk).exists():
        return redirect("screening:programme", programme.pk)
    return redirect("screening:worklist")  # who ended the own access


@login_required
@require_POST
def programme_invitation_cancel(
    request: AuthenticatedRequest, programme_id: UUID, invitation_id: UUID
) -> HttpResponseBase:
    """Cancel an open invitation: its link works no more."""
    programme = get_programme(user=request.user, programme_id=programme_id)
    invitation = get_object_or_404(programme.invitations.select_related("programme"), pk=invitation_id)
    cancel_invitation(invitation=invitation, by=request.user)
    messages.success(request, _("The invitation is cancelled: its link does not work any more."))
    return redirect("screening:programme", programme.pk)


def _page(
    request: AuthenticatedRequest,
    programme: Programme,
    *,
    name_form: ProgrammeForm | None = None,
    sites_form: ProgrammeSitesForm | None = None,
    invitation_form: ManagerInvitationForm | None = None,
) -> HttpResponseBase:
    """The page; with a form that was refused, 422."""
    is_refused = any(form is not None and form.errors for form in (name_form, sites_form, invitation_form))
    context = {
        "section": SECTION,
        "programme": programme,
        "page": Paginator(list_programme_sites(programme), PER_PAGE).get_page(page_number(request)),
        "managed": set(sites_for(request.user, Action.MANAGE_SITE).values_list("pk", flat=True)),
        "managers": list(list_managers(programme)),
        "invitations": list(open_manager_invitations(programme)),
        "changes": list_manager_changes(programme)[:N_CHANGES],
        "zone": timezone.get_default_timezone(),
        "may_administer": is_superuser(request.user),
        "name_form": name_form or ProgrammeForm(instance=programme),
        "sites_form": sites_form or ProgrammeSitesForm(programme=programme),
        "form": invitation_form or ManagerInvitationForm(has_mail=can_send_mail()),
    }
    return render(request, "screening/programmes/programme.html", context, status=422 if is_refused else 200)

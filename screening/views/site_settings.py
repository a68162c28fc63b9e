"""The settings of a site on one page: what each is now, and who changed it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from ml.errors import BundleError
from screening.access import Action, is_superuser, programmes_for, require, sites_for
from screening.forms.site_settings import SettingsForm
from screening.labels.numbers import decimal_text
from screening.labels.protocols import PROTOCOL_KIND_LABELS
from screening.labels.site_settings import GROUP_LABELS, GROUP_NOTES
from screening.models import Site, SiteSettingsVersion, SiteThreshold, User
from screening.policy.site_settings import SettingsGroup
from screening.selectors.activations import newest_activation
from screening.selectors.documents import letterhead_of
from screening.selectors.drift_checks import drift_alerts
from screening.selectors.first_run import get_first_run, is_new
from screening.selectors.messages import newest_text_of_site
from screening.selectors.outcome_tables import outcome_table_in_force
from screening.selectors.protocols import newest_protocol, protocol_in_force
from screening.selectors.site_settings import (
    list_settings_versions,
    newest_settings_versions,
    setting_label,
    setting_text,
    settings_summary,
)
from screening.selectors.staff import count_active_staff, list_staff_changes
from screening.selectors.thresholds import newest_threshold, threshold_in_use
from screening.services.active_bundles import bundle_in_use
from screening.services.site_settings import SettingsConflict, SettingsRefused, change_settings
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.first_run import step_lines
from screening.views.parameters import page_number, require_parameters

PER_PAGE, VERSIONS_PER_PAGE = 25, 10
SECTION = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One page of settings. ``change``: the newest stored version, with who stored it and when; None: no change yet."""

    title: str
    address: str
    value: str
    change: Any


@login_required
@require_safe
def site_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites that the user manages, or the page of the only one."""
    require_parameters(request, known={"page"})
    if not is_superuser(request.user):
        require(request.user, Action.MANAGE_SITE)
    sites = sites_for(request.user, Action.MANAGE_SITE).order_by("name", "pk")
    first_two = list(sites[:2])
    if len(first_two) == 1:
        return redirect("screening:site", first_two[0].pk)
    page = Paginator(sites, PER_PAGE).get_page(page_number(request))
    context = {"section": SECTION, "page": page, "has_programmes": _has_programmes(request.user)}
    return render(request, "screening/sites/list.html", context)


@login_required
@require_safe
def site_settings(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """All pages of settings of a site by subject, each with what is set now."""
    require_parameters(request, known=())
    site = _managed_site(request, site_id)
    context: dict[str, Any] = {
        "section": SECTION,
        "site": site,
        "subjects": _subjects(request.user, site),
        "has_programmes": _has_programmes(request.user),
        "drift_alerts": drift_alerts([site], timezone.localdate(timezone=site.zone)),
    }
    if is_new(request.user, site):
        run = get_first_run(site)
        context |= {"first_run": run, "first_steps": step_lines(run, request.user)}
    return render(request, "screening/sites/settings.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_settings_group(request: AuthenticatedRequest, site_id: UUID, group: str) -> HttpResponseBase:
    """A group of settings with its history; a POST changes it."""
    require_parameters(request, known={"page"})
    site, chosen = _managed_site(request, site_id), SettingsGroup(group)
    if request.method != "POST":
        return _group_page(request, site, SettingsForm(site=site, group=chosen))
    form = SettingsForm(request.POST, site=site, group=chosen)
    if not form.is_valid():
        return _group_page(request, site, form, status=422)
    base, reason = form.cleaned_data["base"], form.cleaned_data["reason"]
    try:
        change_settings(site=site, group=chosen, base=base, values=form.values, reason=reason, by=request.user)
    except SettingsConflict as error:
        stored = Site.objects.get(pk=site.pk)  # sent again, the entries are based on what is stored now
        form = SettingsForm(site=stored, group=chosen, entered={**error.entered, "reason": reason})
        return _group_page(request, stored, form, status=409, conflict=error)
    except (SettingsRefused, ValidationError) as error:
        form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        return _group_page(request, site, form, status=422)
    messages.success(request, _("The change is stored."))
    return redirect("screening:site-settings", site.pk, chosen.value)


def _has_programmes(user: User) -> bool:
    return is_superuser(user) or programmes_for(user).exists()


def _managed_site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    return site


def _group_page(
    request: AuthenticatedRequest,
    site: Site,
    form: SettingsForm,
    *,
    status: int = 200,
    conflict: SettingsConflict | None = None,
) -> HttpResponseBase:
    versions = list_settings_versions(user=request.user, site=site, group=form.group)
    page = Paginator(versions, VERSIONS_PER_PAGE).get_page(page_number(request))
    conflicts = [] if conflict is None else conflict.conflicts
    context = {
        "section": SECTION,
        "site": Site.objects.get(pk=site.pk) if form.errors else site,  # a form that is refused has its values in it
        "title": GROUP_LABELS[form.group],
        "note": GROUP_NOTES[form.group],
        "form": form,
        "problem": str(conflict or ""),
        "conflicts": [
            (setting_label(one.name), setting_text(one.name, one.stored), setting_text(one.name, one.entered))
            for one in conflicts
        ],
        "page": page,
        "versions": [(row, _changes(row)) for row in page.object_list],
    }
    return render(request, "screening/sites/settings_group.html", context, status=status)


def _changes(row: SiteSettingsVersion) -> list[tuple[str, str, str]]:
    """Name, value before and value after of each setting of a version."""
    return [
        (setting_label(name), setting_text(name, before), setting_text(name, row.after[name]))
        for name, before in row.before.items()
    ]


def _subjects(user: User, site: Site) -> list[tuple[str, list[Setting]]]:
    """The pages of settings by subject."""
    changes = newest_settings_versions(site)

    def group(one: SettingsGroup) -> Setting:
        return Setting(
            title=str(GROUP_LABELS[one]),
            address=reverse("screening:site-settings", args=[site.pk, one.value]),
            value=settings_summary(site, one),
            change=changes.get(one.value),
        )

    return [
        (_("Site and people"), [_staff(user, site), group(SettingsGroup.GENERAL)]),
        (_("Photographs"), [group(SettingsGroup.CAPTURE)]),
        (
            _("Reading"),
            [
                _protocol(site),
                _model(site),
                _operating_point(site),
                *map(group, (SettingsGroup.READING, SettingsGroup.READING_TIMES, SettingsGroup.OUTSIDE_READERS)),
            ],
        ),
        (_("Results"), [_outcomes(site), group(SettingsGroup.RECALL), group(SettingsGroup.REFERRAL_TIMES)]),
        (_("Letters and messages"), [_letterhead(site), group(SettingsGroup.MESSAGES), _texts(user, site)]),
    ]


def _staff(user: User, site: Site) -> Setting:
    n_active = count_active_staff(user=user, site=site)
    return Setting(
        title=_("Staff"),
        address=reverse("screening:site-staff", args=[site.pk]),
        value=ngettext("%(n)d person is active", "%(n)d persons are active", n_active) % {"n": n_active},
        change=list_staff_changes(user=user, site=site).first(),
    )


def _protocol(site: Site) -> Setting:
    return Setting(
        title=_("Reading protocol"),
        address=reverse("screening:site-protocol", args=[site.pk]),
        value=str(PROTOCOL_KIND_LABELS[protocol_in_force(site).kind]),
        change=newest_protocol(site),
    )


def _model(site: Site) -> Setting:
    newest = newest_activation(site, site.served_model)
    bundle = None if newest is None else newest.bundle
    return Setting(
        title=_("Model in use"),
        address=reverse("screening:site-activation", args=[site.pk]),
        value=_("The released model") if bundle is None else bundle.model_version,
        change=newest,
    )


def _operating_point(site: Site) -> Setting:
    return Setting(
        title=_("Operating point"),
        address=reverse("screening:site-operating-point", args=[site.pk]),
        value=_operating_point_text(site),
        change=newest_threshold(site),
    )


def _operating_point_text(site: Site) -> str:
    try:
        bundle = bundle_in_use(site)
    except BundleError:
        return _("The model of this site cannot be read.")
    in_use = threshold_in_use(site, bundle.model_version)
    value = bundle.operating_point if in_use is None else in_use.operating_point
    origin = SiteThreshold.Origin.MODEL if in_use is None else SiteThreshold.Origin(in_use.origin)
    return f"{decimal_text(value, 4)} ({origin.label})"


def _outcomes(site: Site) -> Setting:
    stored = outcome_table_in_force(site).stored
    own = _("Version %(number)d of this site") % {"number": stored.number} if stored is not None else ""
    return Setting(
        title=_("Outcome rules"),
        address=reverse("screening:site-outcomes", args=[site.pk]),
        value=own or _("The built-in rules"),
        change=stored,
    )


def _letterhead(site: Site) -> Setting:
    stored = letterhead_of(site)
    return Setting(
        title=_("Letterhead"),
        address=reverse("screening:site-letterhead", args=[site.pk]),
        value=stored.name if stored is not None else _("The name of the site, without an address"),
        change=stored,
    )


def _texts(user: User, site: Site) -> Setting:
    stored = newest_text_of_site(user=user, site=site)
    return Setting(
        title=_("Texts of messages and letters"),
        address=reverse("screening:site-message-texts", args=[site.pk]),
        value=_("Some are those of this site") if stored is not None else _("The built-in texts"),
        change=stored,
    )

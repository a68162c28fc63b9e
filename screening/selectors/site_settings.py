"""Settings of a site: their values in words, and the history of their changes."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.access import Action, restrict
from screening.labels.site_settings import facts_text, language_text, required_fields_text
from screening.models import Site, SiteSettingsVersion, User
from screening.policy.site_settings import SETTINGS, SettingsGroup


def list_settings_versions(*, user: User, site: Site, group: SettingsGroup) -> QuerySet[SiteSettingsVersion]:
    """Changes of a group of settings at a site that ``user`` manages, newest first."""
    rows = restrict(SiteSettingsVersion.objects.filter(site=site, group=group), user, Action.MANAGE_SITE)
    return rows.select_related("created_by").order_by("-number")


def newest_settings_versions(site: Site) -> dict[str, SiteSettingsVersion]:
    """The last change of each group that was ever changed. One query."""
    later = SiteSettingsVersion.objects.filter(site=site, group=OuterRef("group"), number__gt=OuterRef("number"))
    rows = SiteSettingsVersion.objects.filter(~Exists(later), site=site).select_related("created_by")
    return {row.group: row for row in rows}


def settings_of(site: Site, group: SettingsGroup) -> dict[str, Any]:
    """The values of a group by name, as they are stored in JSON."""
    return {name: getattr(site, name) for name in SETTINGS[group]}


def setting_label(name: str) -> str:
    """The name of a setting for a person."""
    column: Any = Site._meta.get_field(name)
    return capfirst(str(column.verbose_name))


def setting_text(name: str, value: Any) -> str:
    """The value of a setting in words."""
    column: Any = Site._meta.get_field(name)
    labels = dict(column.flatchoices)
    if labels and value in labels:
        return str(labels[value])
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name == "required_facts":
        return facts_text(value)
    if name == "message_language":
        return language_text(value)
    return str(value) if value not in {"", None} else "–"


def settings_summary(site: Site, group: SettingsGroup) -> str:
    """What a group is set to now, in one line."""
    return _SUMMARIES[group](site)


def _general(site: Site) -> str:
    text = _("%(zone)s; messages in %(language)s")
    language = language_text(site.message_language or settings.LANGUAGE_CODE)
    return text % {"zone": site.timezone, "language": language}


def _capture(site: Site) -> str:
    fields = required_fields_text(macula=site.requires_macula, optic_disc=site.requires_optic_disc)
    n = len(site.required_facts)
    facts = ngettext("%(n)d required fact", "%(n)d required facts", n) % {"n": n}
    return f"{fields}; {facts}" if n else fields


def _reading(site: Site) -> str:
    return f"{site.get_reading_mode_display()} ({site.get_scale_display()})"


def _outside_readers(site: Site) -> str:
    return _("They see no names") if site.hides_identity else _("They see what a reviewer sees")


def _reading_times(site: Site) -> str:
    values = {
        "routine": site.reading_target_routine_h,
        "soon": site.reading_target_soon_h,
        "immediate": site.reading_target_immediate_h,
    }
    return _("Routine %(routine)d h, soon %(soon)d h, immediately %(immediate)d h") % values


def _referral_times(site: Site) -> str:
    values = {"soon": site.referral_seen_soon_days, "immediate": site.referral_seen_immediate_days}
    return _("Seen within %(soon)d days, urgently within %(immediate)d days") % values


def _recall(site: Site) -> str:
    values = {"invite": site.invite_before_days, "overdue": site.overdue_after_days}
    return _("Invited %(invite)d days before the due date, overdue %(overdue)d days after it") % values


def _messages(site: Site) -> str:
    return str(site.get_message_mode_display())


_SUMMARIES = {
    SettingsGroup.GENERAL: _general,
    SettingsGroup.CAPTURE: _capture,
    SettingsGroup.READING: _reading,
    SettingsGroup.OUTSIDE_READERS: _outside_readers,
    SettingsGroup.READING_TIMES: _reading_times,
    SettingsGroup.REFERRAL_TIMES: _referral_times,
    SettingsGroup.RECALL: _recall,
    SettingsGroup.MESSAGES: _messages,
}

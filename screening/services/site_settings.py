"""Settings of a site: a manager changes a group of them. Each change is stored as a version, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.limits import too_long
from screening.models import AuditEvent, Site, SiteSettingsVersion, User
from screening.models.base import max_length
from screening.policy.site_settings import FREE_TEXTS, SETTINGS, SettingsGroup
from screening.selectors.site_settings import settings_of
from screening.services.audit import record_event
from screening.services.counted_days import mark_all_days
from screening.services.worklist import update_bands_of_site, update_due_times_of_site, update_orders_of_site

Verb = AuditEvent.Verb
VERBS: dict[SettingsGroup, AuditEvent.Verb] = {
    SettingsGroup.GENERAL: Verb.GENERAL_CHANGED,
    SettingsGroup.CAPTURE: Verb.CAPTURE_CHANGED,
    SettingsGroup.READING: Verb.READING_MODE_CHANGED,
    SettingsGroup.OUTSIDE_READERS: Verb.IDENTITY_CHANGED,
    SettingsGroup.READING_TIMES: Verb.READING_TARGETS_CHANGED,
    SettingsGroup.REFERRAL_TIMES: Verb.REFERRAL_TARGETS_CHANGED,
    SettingsGroup.RECALL: Verb.RECALL_DAYS_CHANGED,
    SettingsGroup.MESSAGES: Verb.MESSAGE_SETTINGS_CHANGED,
}


class SettingsRefused(ValueError):
    """The change cannot be stored. The message is for the user."""


@dataclass(frozen=True, slots=True)
class SettingConflict:
    """A setting that another person changed: its value in the database, and the one that was entered."""

    name: str
    stored: Any
    entered: Any


class SettingsConflict(SettingsRefused):
    """Another person changed a setting after the page was opened. ``entered`` has all that the user changed."""

    def __init__(self, conflicts: list[SettingConflict], entered: dict[str, Any]) -> None:
        self.conflicts, self.entered = conflicts, entered
        super().__init__(_("Another person changed this meanwhile. Compare both values, then store yours or leave it."))


@transaction.atomic
def change_settings(
    *, site: Site, group: SettingsGroup, base: Mapping[str, Any], values: Mapping[str, Any], reason: str, by: User
) -> SiteSettingsVersion:
    """Change the settings whose value differs from ``base``, the values when the page was opened.

    Settings that others changed meanwhile, and ``by`` did not, stay. The same form sent twice is stored once.
    Raises SettingsConflict, SettingsRefused, AccessDenied; ValidationError for values that do not fit together.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    before = settings_of(locked, group)
    entered = {name: values[name] for name in SETTINGS[group] if values[name] != base.get(name)}
    changed = {name: value for name, value in entered.items() if value != before[name]}
    if not changed:
        return _unchanged(locked, group, is_entered=bool(entered))
    conflicts = [SettingConflict(name, before[name], changed[name]) for name in changed if before[name] != base[name]]
    if conflicts:
        raise SettingsConflict(conflicts, entered)
    reason = _checked_reason(reason)
    for name, value in changed.items():
        setattr(locked, name, value)
    locked.full_clean()
    locked.save(update_fields=list(changed))
    return _store_version(locked, group, {name: before[name] for name in changed}, reason=reason, by=by)


@transaction.atomic
def record_panel_change(*, before: Site, after: Site, by: User) -> None:
    """Store the versions that follow from a change in the administration panel, which has saved ``after``."""
    if before.model != after.model:
        update_orders_of_site(after)
    for group, names in SETTINGS.items():
        changed = {name: getattr(before, name) for name in names if getattr(before, name) != getattr(after, name)}
        if changed:
            _store_version(after, group, changed, reason="", by=by)


def _store_version(
    site: Site, group: SettingsGroup, before: dict[str, Any], *, reason: str, by: User
) -> SiteSettingsVersion:
    """Add the next version of a group and its audit event, and update what follows from the settings."""
    after = {name: getattr(site, name) for name in before}
    newest = _newest(site, group)
    try:
        with transaction.atomic():
            row = SiteSettingsVersion.objects.create(
                site=site,
                group=group,
                number=1 if newest is None else newest.number + 1,
                before=before,
                after=after,
                reason=reason,
                created_by=by,
            )
    except IntegrityError:  # SQLite has no lock on the site
        raise SettingsRefused(_("Another change was stored a moment ago. Reload the page.")) from None
    plain = {name: value for name, value in after.items() if name not in FREE_TEXTS}
    data = {name: ",".join(value) if isinstance(value, list) else value for name, value in plain.items()}
    data |= {"settings": ",".join(sorted(after)), "version": row.number}
    record_event(verb=VERBS[group], subject=site, site=site, data=data, by=by)
    if "timezone" in after:
        mark_all_days(site)
    if "reading_mode" in after:
        update_bands_of_site(site)
    if group is SettingsGroup.READING_TIMES:
        update_due_times_of_site(site)
    return row


def _newest(site: Site, group: SettingsGroup) -> SiteSettingsVersion | None:
    return SiteSettingsVersion.objects.filter(site=site, group=group).order_by("-number").first()


def _unchanged(site: Site, group: SettingsGroup, *, is_entered: bool) -> SiteSettingsVersion:
    """The stored version of a form that was sent twice. Raises SettingsRefused if nothing was entered."""
    newest = _newest(site, group) if is_entered else None
    if newest is None:
        raise SettingsRefused(_("Nothing differs from what is stored."))
    return newest


def _checked_reason(reason: str) -> str:
    limit = max_length(SiteSettingsVersion, "reason")
    if not reason.strip():
        raise SettingsRefused(_("Enter the reason for the change."))
    if len(reason.strip()) > limit:
        raise SettingsRefused(too_long(limit))
    return reason.strip()

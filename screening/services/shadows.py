"""Trying a registered bundle at a site in shadow mode. Superusers only."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from screening.access import require_superuser
from screening.models import AuditEvent, RegisteredBundle, Site, SiteShadow, User
from screening.models.base import max_length
from screening.selectors.shadows import newest_shadow
from screening.services.audit import record_event
from screening.services.registered_bundles import BundleRefused, require_reason


@transaction.atomic
def change_shadow(
    *, site: Site, bundle: RegisteredBundle | None, since: date | None, reason: str, base_id: UUID | None, by: User
) -> SiteShadow:
    """Try a bundle at a site, with exams since a day; None ends it. What it graded stays.

    ``base_id``: the newest row when the page was opened. Raises BundleRefused, AccessDenied.
    """
    require_superuser(by)
    locked = Site.objects.select_for_update().get(pk=site.pk)
    newest = newest_shadow(locked)
    require_reason(reason.strip(), max_length(SiteShadow, "reason"))
    if base_id != (None if newest is None else newest.pk):
        raise BundleRefused(_("Another version was stored meanwhile. Compare it, then enter your change again."))
    current = (None, None) if newest is None else (newest.bundle_id, newest.since)
    if current == (None if bundle is None else bundle.pk, since):
        raise BundleRefused(_("Nothing differs from what is set now."))
    if bundle is not None and since is None:
        raise BundleRefused(_("Enter from which day of exams on the model grades."))
    row = SiteShadow.objects.create(
        site=locked, bundle=bundle, since=since if bundle else None, reason=reason.strip(), created_by=by
    )
    data = {"model_version": "" if bundle is None else bundle.model_version}
    record_event(verb=AuditEvent.Verb.SHADOW_CHANGED, subject=row, site=locked, data=data, by=by)
    return row

"""Sites: creating the first one. Further ones are created in the administration panel."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from screening.access import AccessDenied, add_manager, is_superuser
from screening.models import AuditEvent, Site, User
from screening.services.audit import record_event

_CODE_CHARS = 40


def can_create_first_site(user: Any) -> bool:
    """Whether ``user`` is a superuser and there is no site yet."""
    return is_superuser(user) and not Site.objects.exists()


def require_first_site(user: Any) -> None:
    """Raises AccessDenied unless ``can_create_first_site(user)``."""
    if not can_create_first_site(user):
        raise AccessDenied(_("The first site exists already. Add further sites in the administration panel."))


@transaction.atomic
def create_first_site(*, name: str, timezone: str, by: User) -> Site:
    """Create the first site of an installation and make ``by`` its manager.

    Raises AccessDenied if there is a site or ``by`` is no superuser, ValidationError for a bad name or time zone.
    """
    User.objects.select_for_update().get(pk=by.pk)  # a second request waits here, then finds the site of the first
    require_first_site(by)
    site = Site(name=name.strip(), code=slugify(name)[:_CODE_CHARS].strip("-") or "site", timezone=timezone)
    site.full_clean()
    site.save(force_insert=True)
    record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=site, site=site, by=by)
    membership = add_manager(by, site)
    record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=membership, site=site, by=by)
    return site

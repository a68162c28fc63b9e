"""Sites: opening the first one. Further ones are made in the administration panel."""

from django.db import transaction
from django.utils.text import slugify

from screening.access import add_manager, require_first_site
from screening.models import AuditEvent, Site, User
from screening.services.audit import record_event

_CODE_CHARS = 40


@transaction.atomic
def create_first_site(*, name: str, timezone: str, by: User) -> Site:
    """Open the site of a new installation and make ``by`` its manager.

    Raises AccessDenied when there is a site already or ``by`` does not run the installation, ValidationError for a name
    or a time zone that cannot be.
    """
    User.objects.select_for_update().get(pk=by.pk)  # a second click waits here, and then finds the first one's site
    require_first_site(by)
    site = Site(name=name.strip(), code=slugify(name)[:_CODE_CHARS].strip("-") or "site", timezone=timezone)
    site.full_clean()
    site.save(force_insert=True)
    record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=site, site=site, by=by)
    membership = add_manager(by, site)
    record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=membership, site=site, by=by)
    return site

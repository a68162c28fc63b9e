"""Letterheads of sites: a new version for each change; logos are written again as PNG."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ml.errors import DecoderUnavailable
from ml.serving.decoders import decoders
from ml.serving.files.rejections import InvalidFile
from screening.access import Action, require
from screening.models import AuditEvent, Letterhead, Site, User
from screening.selectors.documents import letterhead_of
from screening.services.audit import record_event
from screening.stored_values import entered_values, require_unchanged

MAX_LOGO_BYTES = 2 * 1024 * 1024


class LogoRefused(ValueError):
    """A file that cannot be a logo. The message is for the user."""


@transaction.atomic
def change_letterhead(
    *,
    site: Site,
    name: str,
    address: str,
    logo: bytes | None,
    without_logo: bool = False,
    hospital_address: str = "",
    base: Mapping[str, Any] | None = None,
    by: User,
) -> Letterhead:
    """Store a new letterhead. ``logo``: the file as it was sent; None: the present one stays, unless ``without_logo``.

    ``base``: ``stored_letterhead`` when the page was opened; what others changed since then, and ``by`` did not, stays.
    Documents that exist keep theirs. Raises ValuesChanged, LogoRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    last, stored = letterhead_of(site), stored_letterhead(site)
    values = {"name": name.strip(), "address": address.strip(), "hospital_address": hospital_address.strip()}
    entered = entered_values(values, base or {})
    require_unchanged(entered, base=base or {}, stored=stored)
    if last is not None and stored | entered == stored and logo is None and not (without_logo and last.logo):
        return last
    kept = b"" if last is None or without_logo else bytes(last.logo)
    row = Letterhead(
        site=site,
        **(stored | entered),
        logo=kept if logo is None else logo_png(logo),
        created_by=by,
    )
    row.full_clean()
    row.save(force_insert=True)
    data = {"has_logo": bool(row.logo), "is_logo_new": logo is not None}
    record_event(verb=AuditEvent.Verb.LETTERHEAD_CHANGED, subject=row, site=site, data=data, by=by)
    return row


def stored_letterhead(site: Site) -> dict[str, str]:
    """Name and addresses of the letterhead in force; without one, the name of the site."""
    last = letterhead_of(site) or Letterhead(name=site.name)
    return {"name": last.name, "address": last.address, "hospital_address": last.hospital_address}


def logo_png(data: bytes) -> bytes:
    """The pixels of a logo as PNG: nothing else of the file is kept. Raises LogoRefused."""
    if len(data) > MAX_LOGO_BYTES:
        raise LogoRefused(_("The logo is larger than 2 MB. Reduce it, for example to 600 pixels of width."))
    try:
        return decoders.logo_png(data)
    except InvalidFile:
        raise LogoRefused(
            _("This file is no picture that can be a logo. Choose a PNG, JPEG or WebP of 16 to 4000 pixels a side.")
        ) from None
    except DecoderUnavailable:
        raise LogoRefused(_("The logo could not be read now. Send it again in a minute.")) from None

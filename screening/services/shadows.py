"""Registering a bundle, and trying one at a site in shadow mode. Superusers only."""

import re
from datetime import date
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ml.bundle_check import check_bundle
from ml.errors import BundleError
from screening.access import require_superuser
from screening.labels.limits import too_long
from screening.models import AuditEvent, RegisteredBundle, Site, SiteShadow, User
from screening.models.base import max_length
from screening.selectors.shadows import newest_shadow
from screening.services import inference
from screening.services.audit import record_event
from screening.services.bundles import find_bundle, folders_to_register

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BundleRefused(ValueError):
    """A bundle that cannot be registered or tried. The message is for the user."""


def register_bundle(*, name: str, sha256: str, reason: str, by: User) -> RegisteredBundle:
    """Register the folder ``name`` of MODELS_DIR, if the SHA-256 of its bundle.json is the one that its makers state.

    The bundle is loaded and grades a photograph in a child process with limits. Raises BundleRefused, AccessDenied.
    """
    require_superuser(by)
    folder = folders_to_register().get(name)
    if folder is None:
        raise BundleRefused(_("There is no such folder in MODELS_DIR, or it is registered already."))
    _require_reason(reason.strip(), max_length(RegisteredBundle, "reason"))
    sha256 = sha256.strip().lower()
    if not _SHA256.fullmatch(sha256):
        raise BundleRefused(_("A SHA-256 has 64 digits of 0 to 9 and a to f. Copy it from the release of the model."))
    version = _checked_version(folder, sha256)
    try:
        with transaction.atomic():
            row = RegisteredBundle.objects.create(
                folder_name=name, model_version=version, description_sha256=sha256, reason=reason.strip(), created_by=by
            )
            data = {"model_version": version, "sha256": sha256}
            record_event(verb=AuditEvent.Verb.BUNDLE_REGISTERED, subject=row, site=None, data=data, by=by)
    except IntegrityError:
        raise BundleRefused(_("This model was registered a moment ago. Reload the page.")) from None
    return row


def _checked_version(folder: Path, sha256: str) -> str:
    """The model version of a folder with this hash that passes its check. Raises BundleRefused."""
    try:
        if folder.is_symlink() or inference.description_hash(folder) != sha256:
            raise BundleRefused(
                _("The SHA-256 of bundle.json is another one: the model was altered, or it is not the one you mean.")
            )
        version = check_bundle(folder)
    except (BundleError, OSError) as error:
        raise BundleRefused(_("The model was refused. %(problem)s") % {"problem": error}) from None
    if find_bundle(version) is not None:
        raise BundleRefused(_("This version of the model is installed already."))
    if not version.startswith(f"{folder.name}+"):
        raise BundleRefused(
            _("The folder %(name)s has the model %(version)s: a folder must have the name of its version.")
            % {"name": folder.name, "version": version}
        )
    return version


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
    _require_reason(reason.strip(), max_length(SiteShadow, "reason"))
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


def _require_reason(reason: str, limit: int) -> None:
    if not reason:
        raise BundleRefused(_("Enter the reason for the change."))
    if len(reason) > limit:
        raise BundleRefused(too_long(limit))

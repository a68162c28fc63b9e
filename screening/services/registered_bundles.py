"""Registering a bundle: of a folder that lies in MODELS_DIR, or of an archive that is uploaded. Superusers only."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ml.bundle_check import check_bundle, unpack_bundle
from ml.bundle_signature import require_signature
from ml.errors import BundleError
from screening.access import require_superuser
from screening.labels.limits import too_long
from screening.models import AuditEvent, RegisteredBundle, User
from screening.models.base import max_length
from screening.photos.validation import MAX_BYTES
from screening.services import inference
from screening.services.audit import record_event
from screening.services.bundles import MAX_NAME, find_bundle, folders_to_register

MAX_ARCHIVE_BYTES = MAX_BYTES
"""No request has more than the largest photograph."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_STAGING_PREFIX = ".upload-"
MAX_STAGING_S = 3600
"""Far longer than an upload and its checks take."""


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
    require_reason(reason.strip(), max_length(RegisteredBundle, "reason"))
    sha256 = _checked_sha256(sha256)
    version = _checked_version(folder, sha256)
    if not version.startswith(f"{folder.name}+"):
        raise BundleRefused(
            _("The folder %(name)s has the model %(version)s: a folder must have the name of its version.")
            % {"name": folder.name, "version": version}
        )
    return _store(name, version, sha256, reason, is_uploaded=False, by=by)


def upload_bundle(*, file: "UploadedFile[bytes]", sha256: str, reason: str, by: User) -> RegisteredBundle:
    """Unpack an archive of a bundle into MODELS_DIR and register it, with the checks of ``register_bundle``.

    It is unpacked by a child process with limits, into a folder that no other request sees; only a bundle that passes
    all checks gets its place. Raises BundleRefused, AccessDenied.
    """
    require_superuser(by)
    require_reason(reason.strip(), max_length(RegisteredBundle, "reason"))
    sha256 = _checked_sha256(sha256)
    if (file.size or 0) > MAX_ARCHIVE_BYTES:
        raise BundleRefused(
            _("The archive has more than %(n)d MB. Place the folder in MODELS_DIR by hand, then register it.")
            % {"n": MAX_ARCHIVE_BYTES // 1024**2}
        )
    known = RegisteredBundle.objects.filter(description_sha256=sha256).first()
    if known is not None:
        raise BundleRefused(_("This model is registered already, as %(version)s.") % {"version": known.model_version})
    with _staging_folder() as staging:
        folder = staging / "bundle"
        folder.mkdir()
        archive = staging / "bundle.zip"
        with archive.open("xb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        try:
            unpack_bundle(archive, folder)
        except BundleError as error:
            raise BundleRefused(_("The model was refused. %(problem)s") % {"problem": error}) from None
        version = _checked_version(folder, sha256)
        return _store_uploaded(folder, version, sha256, reason, by)


@contextmanager
def _staging_folder() -> Iterator[Path]:
    """A new folder within MODELS_DIR, deleted at the end. Raises BundleRefused if none can be written there."""
    if not settings.MODELS_DIR:
        raise BundleRefused(
            _("MODELS_DIR is not set: no model can be registered. docs/operations.md says how to set it.")
        )
    try:
        _delete_abandoned(Path(settings.MODELS_DIR))
        staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=settings.MODELS_DIR))
    except OSError:
        raise BundleRefused(
            _("The server may not write into MODELS_DIR. Place the folder there by hand, then register it.")
        ) from None
    try:
        yield staging
    except OSError:
        raise BundleRefused(_("The disk of MODELS_DIR is full, or cannot be written. Nothing was stored.")) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _delete_abandoned(models_dir: Path) -> None:
    """Delete what a server that was killed left behind."""
    for folder in models_dir.glob(f"{_STAGING_PREFIX}*"):
        if time.time() - folder.stat().st_mtime > MAX_STAGING_S:
            shutil.rmtree(folder, ignore_errors=True)


def _store_uploaded(folder: Path, version: str, sha256: str, reason: str, by: User) -> RegisteredBundle:
    """Move the folder to its place and register it; the place stays empty if that fails."""
    name = version.partition("+")[0]
    target = Path(settings.MODELS_DIR) / name
    if target.exists() or target.is_symlink():
        raise BundleRefused(_("MODELS_DIR has a folder %(name)s already.") % {"name": name})
    for file in folder.iterdir():
        file.chmod(0o644)
    folder.chmod(0o755)
    with transaction.atomic():
        row = _store(name, version, sha256, reason, is_uploaded=True, by=by)
        folder.rename(target)
    return row


def _checked_sha256(text: str) -> str:
    sha256 = text.strip().lower()
    if not _SHA256.fullmatch(sha256):
        raise BundleRefused(_("A SHA-256 has 64 digits of 0 to 9 and a to f. Copy it from the release of the model."))
    return sha256


def require_trusted(folder: Path) -> None:
    """Raises BundleError unless a trusted key signed the bundle; without keys every one is trusted. Raises OSError."""
    if settings.BUNDLE_PUBLIC_KEYS:
        require_signature(folder, settings.BUNDLE_PUBLIC_KEYS)


def _checked_version(folder: Path, sha256: str) -> str:
    """The model version of a folder with this hash that is signed and passes its check. Raises BundleRefused."""
    try:
        if folder.is_symlink() or inference.description_hash(folder) != sha256:
            raise BundleRefused(
                _("The SHA-256 of bundle.json is another one: the model was altered, or it is not the one you mean.")
            )
        require_trusted(folder)
        version = check_bundle(folder)
    except (BundleError, OSError) as error:
        raise BundleRefused(_("The model was refused. %(problem)s") % {"problem": error}) from None
    if find_bundle(version) is not None:
        raise BundleRefused(_("This version of the model is installed already."))
    name = version.partition("+")[0]
    if not _FOLDER_NAME.fullmatch(name) or max(len(name), len(version)) > MAX_NAME:
        raise BundleRefused(
            _("The name of the model must have letters, digits, points and hyphens alone, and at most %(n)d of them.")
            % {"n": MAX_NAME}
        )
    return version


def _store(name: str, version: str, sha256: str, reason: str, *, is_uploaded: bool, by: User) -> RegisteredBundle:
    try:
        with transaction.atomic():
            row = RegisteredBundle.objects.create(
                folder_name=name, model_version=version, description_sha256=sha256, reason=reason.strip(), created_by=by
            )
            data: dict[str, str | float | bool | None] = {
                "model_version": version,
                "sha256": sha256,
                "is_uploaded": is_uploaded,
                "is_signed": bool(settings.BUNDLE_PUBLIC_KEYS),
            }
            record_event(verb=AuditEvent.Verb.BUNDLE_REGISTERED, subject=row, site=None, data=data, by=by)
    except IntegrityError:
        raise BundleRefused(_("This model was registered a moment ago. Reload the page.")) from None
    return row


def require_reason(reason: str, limit: int) -> None:
    """Raises BundleRefused for an empty or a long one."""
    if not reason:
        raise BundleRefused(_("Enter the reason for the change."))
    if len(reason) > limit:
        raise BundleRefused(too_long(limit))

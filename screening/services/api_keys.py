"""Keys of the REST API: issuing, finding, revoking."""

import datetime
import hashlib
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.held_roles import first_with_roles, keep_roles
from screening.models import ApiKey, AuditEvent, User
from screening.services.audit import record_event

KEY_PREFIX = "drk_"
_N_BYTES = 32
"""256 random bits, 43 url-safe characters: too many to guess, so that an unsalted SHA-256 is safe."""
_PREFIX_CHARS = 12
_MIN_CHARS = 8
"""For a chosen key; a generated one has 47."""
_LAST_USED_INTERVAL = datetime.timedelta(minutes=1)


@transaction.atomic
def issue_key(
    *, user: User, name: str, expires_at: datetime.datetime | None = None, text: str | None = None, by: User | None
) -> tuple[ApiKey, str]:
    """Create a key that acts as ``user``. Returns the row and the key, which cannot be shown again.

    ``text`` is a chosen key, for the demo. Raises ValidationError if it is short or has spaces.
    """
    text = text or KEY_PREFIX + secrets.token_urlsafe(_N_BYTES)
    if len(text) < _MIN_CHARS or not text.isprintable() or " " in text:
        raise ValidationError(_("An API key has at least 8 characters and no spaces."), code="api_key")
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=text[: min(_PREFIX_CHARS, len(text) // 2)],
        key_hash=_hash(text),
        expires_at=expires_at,
    )
    record_event(verb=AuditEvent.Verb.API_KEY_ISSUED, subject=key, site=None, data={"user": str(user.pk)}, by=by)
    return key, text


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User) -> ApiKey:
    """Revoke a key. A key that is revoked already keeps its time."""
    locked = ApiKey.objects.select_for_update().get(pk=key.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        record_event(verb=AuditEvent.Verb.API_KEY_REVOKED, subject=locked, site=None, by=by)
    return locked


def find_key(text: str) -> ApiKey | None:
    """The usable key with this text of an active user, or None. Stores the time of use.

    The same query reads the roles of the user, which are kept for the request.
    """
    keys = ApiKey.objects.select_related("user").filter(key_hash=_hash(text))
    key, roles = first_with_roles(keys, user="user")
    if key is None or not key.is_usable or not key.user.is_active:
        return None
    keep_roles(key.user_id, roles)
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_INTERVAL:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

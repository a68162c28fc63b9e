"""Users and API key of the demo clinic."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError

from screening.demo.credentials import Credentials
from screening.demo.folder import DemoError
from screening.models import ApiKey, AuditEvent, Membership, Site, User
from screening.services import api_keys
from screening.services.audit import record_event

_KEY_NAME = "Demo"
_ROLES = {
    "photographer": ("Pia", "Photographer", [Membership.Role.PHOTOGRAPHER]),
    "reviewer": ("Rune", "Reviewer", [Membership.Role.REVIEWER]),
    "admin": ("Ada", "Admin", [Membership.Role.MANAGER, Membership.Role.PHOTOGRAPHER, Membership.Role.REVIEWER]),
}


def seed_users(site: Site, credentials: Credentials) -> None:
    """Create the missing users and their key, and set the password and the key of ``credentials``."""
    for username in _ROLES:
        _get_or_create_user(username, site)
    users = User.objects.filter(username__in=_ROLES)
    hashes = {user.password for user in users}
    if len(hashes) > 1 or not check_password(credentials.password, hashes.pop()):
        users.update(password=make_password(credentials.password))  # one hash for all: each takes half a second
    _seed_api_key(credentials.api_key)


def _get_or_create_user(username: str, site: Site) -> None:
    given, family, roles = _ROLES[username]
    is_admin = username == "admin"
    user, is_new = User.objects.get_or_create(
        username=username,
        defaults={"first_name": given, "last_name": family, "is_staff": is_admin, "is_superuser": is_admin},
    )
    if is_new:
        record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=user, site=site, by=None)
        for role in roles:
            Membership.objects.create(user=user, site=site, role=role)


def _seed_api_key(text: str) -> None:
    """The key acts as the photographer, whose role allows all requests of the API."""
    if api_keys.find_key(text) is not None:
        return
    photographer = User.objects.get(username="photographer")
    for old in ApiKey.objects.filter(name=_KEY_NAME, user=photographer, revoked_at=None):
        api_keys.revoke_key(key=old, by=User.objects.get(username="admin"))
    try:
        api_keys.issue_key(user=photographer, name=_KEY_NAME, text=text, by=None)
    except IntegrityError as error:
        raise DemoError("The API key was revoked earlier. Set DEMO_API_KEY to a new one.") from error

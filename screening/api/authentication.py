"""Authentication by API key. Sessions of the pages are authenticated by Django REST framework."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from screening.models import ApiKey, User
from screening.request_facts import current_facts
from screening.services.api_keys import find_key
from screening.throttling import InvalidKeyThrottle

SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """Authentication with ``Authorization: Bearer drk_...``, as the user of the key.

    The database compares hashes and not keys, so that the duration of a response reveals nothing about a key.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """User and key; None without a bearer header.

        Raises AuthenticationFailed for an unusable key, Throttled for too many of them from one address.
        """
        scheme, _space, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME.lower().encode():
            return None
        key = find_key(text.strip().decode("latin-1"))  # the encoding of HTTP headers
        if key is None:
            throttle = InvalidKeyThrottle()
            if not throttle.allow_request(request, None):
                raise Throttled(throttle.wait())
            # One message for unknown, expired and revoked keys reveals nothing to an attacker.
            message = _("This API key is unknown, expired or revoked. Ask your administrator for a new one.")
            raise AuthenticationFailed(message, code="invalid_key")
        facts = current_facts()
        if facts is not None:
            facts.key_id = str(key.pk)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """The header WWW-Authenticate. With it, a missing or unusable key gives 401 and not 403."""
        return f'{SCHEME} realm="api"'

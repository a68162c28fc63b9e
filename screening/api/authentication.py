"""Who is calling: a program by its key, or a person by the session of the pages."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from screening.models import ApiKey, User
from screening.services.api_keys import find_key

SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer drk_...``; the key acts as its user. The key is looked up by its hash alone.

    The database compares hashes, never the key itself, so the time an answer takes tells nothing about a key.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """None without a bearer header: the next way is tried. Raises AuthenticationFailed for an unusable key."""
        scheme, _space, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME.lower().encode():
            return None
        key = find_key(text.strip().decode("latin-1"))  # what a header may hold; any other text is just unknown
        if key is None:
            # One sentence for unknown, expired and revoked: who guesses keys learns nothing.
            message = _("This API key is unknown, expired or revoked. Ask your administrator for a new one.")
            raise AuthenticationFailed(message, code="invalid_key")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing or unusable key 401 and not 403."""
        return f'{SCHEME} realm="api"'

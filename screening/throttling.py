"""Throttling of requests. The rates are API_RATE and API_PHOTO_RATE in the settings, for API and pages alike."""

import logging
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle, SimpleRateThrottle

if TYPE_CHECKING:  # NB: DRF loads this file while its own views are loading
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class KeyThrottle(ScopedRateThrottle):
    """Rate limit for each scope and account, with all of its API keys and sessions; else for each IP address."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """True also if the cache is unavailable: the clinic must be able to work."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError):
            logger.warning("The cache is unavailable: requests are not counted")
            return True

    def get_cache_key(self, request: Request | HttpRequest, view: "APIView") -> str:
        """A cache key with the id of the account."""
        address = self.get_ident(request)  # type: ignore[arg-type]  # a stub too narrow: any request has META
        ident = f"user-{request.user.pk}" if request.user.is_authenticated else address
        return str(self.cache_format % {"scope": self.scope, "ident": ident})


class _AddressThrottle(SimpleRateThrottle):
    """Rate limit of an address for the scope of the class."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """True also if the cache is unavailable."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError):
            return True

    def get_cache_key(self, request: Any, view: Any) -> str:
        """A cache key with the address."""
        return str(self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)})


class InvalidKeyThrottle(_AddressThrottle):
    """Rate limit of an address for requests with an unusable API key, each of which needs a query."""

    scope = "invalid_keys"


class ComparisonThrottle(_AddressThrottle):
    """Rate limit of an address on the public page of a document."""

    scope = "comparisons"


class InvitationThrottle(_AddressThrottle):
    """Rate limit of an address on the public pages of an invitation."""

    scope = "invitations"


class _PhotoPage:
    throttle_scope = "photos"


def photo_wait_s(request: HttpRequest) -> int:
    """Seconds that the user of a page must wait before the next photograph; 0 if it is taken now, and counted."""
    throttle: Any = KeyThrottle()
    if throttle.allow_request(request, _PhotoPage()):
        return 0
    return int(throttle.wait() or 0) + 1

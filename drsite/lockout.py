"""Passwords tried under many names from one address: five each for a hundred accounts must not go unnoticed."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest


class IpLockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # the package has no types
    """Locks a name at an address as usual, and an address after many failures under whatever names."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Failures count until nobody has failed under that name from there for the cool-off time."""
        if super().is_locked(request, credentials):
            return True
        if not self._is_spraying(request):
            return False
        request.axes_locked_out = True  # type: ignore[attr-defined]  # the page that says so; axes counts one name alone
        return True

    def _is_spraying(self, request: HttpRequest) -> bool:
        attempts = AccessAttempt.objects.filter(
            ip_address=get_client_ip_address(request), attempt_time__gte=get_cool_off_threshold(request)
        )
        n_failures: int | None = attempts.aggregate(n=Sum("failures_since_start"))["n"]
        return (n_failures or 0) >= settings.LOGIN_FAILURE_LIMIT_PER_IP

"""Protection against password spraying: one IP address tries a few passwords for many accounts."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest


class IpLockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # the package has no types
    """Locks a user name at an IP address, as django-axes does, and an IP address after many failures."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether a log-in is refused. The failures of a user name expire AXES_COOLOFF_TIME after the last one."""
        if super().is_locked(request, credentials):
            return True
        if not self._is_spraying(request):
            return False
        request.axes_locked_out = True  # type: ignore[attr-defined]  # shows the page of axes
        return True

    def _is_spraying(self, request: HttpRequest) -> bool:
        attempts = AccessAttempt.objects.filter(
            ip_address=get_client_ip_address(request), attempt_time__gte=get_cool_off_threshold(request)
        )
        n_failures: int | None = attempts.aggregate(n=Sum("failures_since_start"))["n"]
        return (n_failures or 0) >= settings.LOGIN_FAILURE_LIMIT_PER_IP

"""Limits of failed log-ins: of a user name at an address, of an address, and of an account from all addresses."""

from datetime import timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address, get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from screening.services.accounts import queue_lockout_notice, record_failed_login

KNOWN_ADDRESS_FOR = timedelta(days=90)
"""From an address where a person has logged in, other people cannot lock the account by guessing elsewhere."""


class IpLockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]  # the package has no types
    """Locks a user name at an IP address, as django-axes does; an IP address, and an account, after many failures.

    The limits of an address stop password spraying, that of an account stops guessing from many addresses.
    """

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Count the failure for the person's notice too, and send one by e-mail if an account is guessed."""
        super().user_login_failed(sender, credentials, request, **kwargs)
        username = get_client_username(request, credentials) or ""
        record_failed_login(username=username)
        if request is not None and username and self._has_many_failures(request, username):
            queue_lockout_notice(username=username)

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether a log-in is refused. The failures of a user name expire AXES_COOLOFF_TIME after the last one."""
        if super().is_locked(request, credentials):
            return True
        if not (self._is_spraying(request) or self._is_guessed(request, credentials)):
            return False
        request.axes_locked_out = True  # type: ignore[attr-defined]  # shows the page of axes
        return True

    def _is_spraying(self, request: HttpRequest) -> bool:
        attempts = _recent(request).filter(ip_address=get_client_ip_address(request))
        return _count(attempts) >= settings.LOGIN_FAILURE_LIMIT_PER_IP

    def _has_many_failures(self, request: HttpRequest, username: str) -> bool:
        return _count(_recent(request).filter(username=username)) >= settings.LOGIN_FAILURE_LIMIT_PER_ACCOUNT

    def _is_guessed(self, request: HttpRequest, credentials: dict[str, Any] | None) -> bool:
        username = get_client_username(request, credentials)
        if not username:
            return False
        if not self._has_many_failures(request, username):
            return False
        return not AccessLog.objects.filter(
            username=username,
            ip_address=get_client_ip_address(request),
            attempt_time__gte=timezone.now() - KNOWN_ADDRESS_FOR,
        ).exists()


def _recent(request: HttpRequest) -> "QuerySet[Any]":
    recent: QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
    return recent


def _count(attempts: "QuerySet[Any]") -> int:
    return attempts.aggregate(n=Sum("failures_since_start"))["n"] or 0

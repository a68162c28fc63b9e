"""Audit of access: each request that reads a record or a list, or is refused, leaves an event.

Views record what they show; the middleware adds an event for a request that left none, so that no route is forgotten.
"""

import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis import RedisError

from screening.models import AuditEvent, Exam, FundusImage, Grading, Patient, PhotoUpload, Review, Site, User
from screening.request_facts import RequestFacts, current_facts, facts_of_request
from screening.services.audit import record_event

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Verb = AuditEvent.Verb
REPEATED_AFTER_S = 300
"""Requests that a page sends by itself (status, thumbnails) leave one event in this time for each user and record."""
REFUSED = {401, 403, 404}
_APPS = {"screening", "api", "admin"}
_PATH_OF_SITE: dict[str, tuple[Any, str]] = {
    "patient_id": (Patient, "site"),
    "exam_id": (Exam, "site"),
    "image_id": (FundusImage, "exam__site"),
    "grading_id": (Grading, "image__exam__site"),
    "upload_id": (PhotoUpload, "exam__site"),
    "review_id": (Review, "exam__site"),
}
WITHOUT_PATIENT_DATA = {
    "screening:login",
    "screening:logout",
    "screening:password",
    "screening:session-status",
    "screening:session-extend",
    "screening:site-first",
    "screening:predict",
    "api:predict",
    "api:model",
    "api:sites",
    "api:not-found",
    "admin:jsi18n",
    "admin:login",
    "admin:logout",
    "admin:password_change",
}
"""Routes that show nothing of a patient or a user. A prediction leaves its own event."""


def audit_access(get_response: GetResponse) -> GetResponse:
    """Set the facts of the request for its events, and record a view or a refusal that left no event."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        facts = RequestFacts(
            address=_address(request),
            request_id=getattr(request, "request_id", ""),
            purpose=_purpose(request.path),
            user=request.user,
        )
        with facts_of_request(facts):
            response = get_response(request)
            _record(request, response.status_code, facts)
        return response

    return middleware


def _address(request: HttpRequest) -> str | None:
    """The address of the client, behind the proxy too; None if the server gives none."""
    try:
        return str(ipaddress.ip_address(get_client_ip_address(request) or ""))
    except ValueError:
        return None


def _purpose(path: str) -> str:
    is_panel = path.startswith("/admin/")
    return AuditEvent.Purpose.OPERATIONS if is_panel else AuditEvent.Purpose.TREATMENT


def _record(request: HttpRequest, status: int, facts: RequestFacts) -> None:
    match = request.resolver_match
    if match is None or match.app_name.split(":")[0] not in _APPS:
        return
    user = request.user if isinstance(request.user, User) else None
    if status in REFUSED:
        _record_refusal(request, status, user)
    elif (
        status < 300
        and _is_unrecorded_read(request, facts)
        and user is not None
        and match.view_name not in WITHOUT_PATIENT_DATA
    ):
        _record_view(request, match.view_name, match.kwargs, user)


def _is_unrecorded_read(request: HttpRequest, facts: RequestFacts) -> bool:
    """Whether the request reads and left no event; actions leave theirs."""
    return request.method in {"GET", "HEAD"} and not facts.n_events


def _record_refusal(request: HttpRequest, status: int, user: User | None) -> None:
    match = request.resolver_match
    if match is None or match.view_name == "api:not-found":
        return
    name, record_id = _record_named(match.kwargs)
    data: dict[str, str | float | bool | None] = {"route": match.view_name, "status": status}
    if name:
        data["record"] = record_id
    record_event(verb=Verb.ACCESS_REFUSED, subject=None, site=None, data=data, by=user)


def _record_view(request: HttpRequest, route: str, kwargs: dict[str, Any], user: User) -> None:
    name, record_id = _record_named(kwargs)
    if _is_repeated(f"{user.pk}:{route}:{record_id}"):
        return
    data: dict[str, str | float | bool | None] = {"route": route}
    if name:
        data["record"] = record_id
    verb = Verb.RECORD_VIEWED if name else Verb.LIST_VIEWED
    record_event(verb=verb, subject=None, site=_site_named(name, record_id), data=data, by=user)


def _record_named(kwargs: dict[str, Any]) -> tuple[str, str]:
    """Name and id of the record in the address; the panel's is text that a user typed, so only an id is kept."""
    for name in _PATH_OF_SITE:
        if name in kwargs:
            return name, str(kwargs[name])
    try:
        return ("object_id", str(uuid.UUID(kwargs["object_id"]))) if "object_id" in kwargs else ("", "")
    except ValueError:
        return "object_id", ""


def _site_named(name: str, record_id: str) -> Site | None:
    if name not in _PATH_OF_SITE:
        return None
    model, path = _PATH_OF_SITE[name]
    return Site.objects.filter(pk__in=model.objects.filter(pk=record_id).values(path)).first()


def _is_repeated(name: str) -> bool:
    """Whether this was recorded a short time ago. Without the cache it is recorded again."""
    try:
        return not cache.add(f"viewed:{name}", 1, REPEATED_AFTER_S)
    except (RedisError, OSError):
        return False


@receiver(user_logged_in)
def _logged_in(user: User, **_kwargs: Any) -> None:
    record_event(verb=Verb.LOGGED_IN, subject=user, site=None, by=user)


@receiver(user_logged_out)
def _logged_out(user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        record_event(verb=Verb.LOGGED_OUT, subject=user, site=None, by=user)


@receiver(user_login_failed)
def _login_failed(credentials: dict[str, Any], **_kwargs: Any) -> None:
    """With the account, if there is one: the typed name could be a password."""
    account = User.objects.filter(username=credentials.get("username") or "").first()
    record_event(verb=Verb.LOGIN_FAILED, subject=account, site=None, by=None)


@receiver(user_locked_out)
def _locked_out(username: str = "", **_kwargs: Any) -> None:
    account = User.objects.filter(username=username or "").first()
    record_event(verb=Verb.LOCKED_OUT, subject=account, site=None, by=None)


@receiver(post_delete, sender=AccessAttempt)
def _lockout_removed(instance: Any, **_kwargs: Any) -> None:
    """Removed in the panel or by a command; those that expire are deleted at a log-in."""
    facts = current_facts()
    if facts is not None and facts.purpose != AuditEvent.Purpose.OPERATIONS:
        return
    account = User.objects.filter(username=instance.username or "").first()
    by = None if facts is None or not isinstance(facts.user, User) else facts.user
    record_event(verb=Verb.LOCKOUT_REMOVED, subject=account, site=None, by=by)

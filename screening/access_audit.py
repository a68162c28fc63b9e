"""Audit of access: each request that reads a record or a list, or is refused, leaves an event.

Views record what they show; the middleware adds an event for a request that left none, so that no route is forgotten.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from redis import RedisError

from screening.models import AuditEvent, FundusImage, User
from screening.purposes import CLIENT_PURPOSES, PURPOSE_HEADER
from screening.request_facts import RequestFacts, current_facts, facts_of_request
from screening.selectors.addressed_records import addressed_record, site_of_addressed
from screening.services.accounts import queue_lockout_notice
from screening.services.audit import record_event
from screening.views.decorators import is_for_programs
from screening.views.prefetches import is_prefetch

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Verb, Purpose = AuditEvent.Verb, AuditEvent.Purpose
REPEATED_AFTER_S = 300
"""Requests that a page sends by itself (status, thumbnails) leave one event in this time for each user and record."""
REFUSED = {401, 403, 404}
NOT_MODIFIED = 304
_APPS = {"screening", "api", "fhir", "admin"}
WITHOUT_PATIENT_DATA = {
    "screening:login",
    "screening:logout",
    "screening:password",
    "screening:page-printed",
    "screening:session-status",
    "screening:session-extend",
    "screening:site-first",
    "screening:sites",
    "screening:search",
    "screening:programmes",
    "screening:programme",
    "screening:site",
    "screening:site-settings",
    "screening:invitation",
    "screening:outcomes",
    "screening:audit",
    "screening:models",
    "screening:model",
    "screening:model-register",
    "screening:model-upload",
    "screening:site-activation",
    "screening:site-shadow",
    "screening:dashboard",
    "screening:site-dashboard",
    "screening:jobs",
    "screening:jobs-status",
    "screening:due-list",
    "screening:bookings",
    "screening:site-imports",
    "screening:import-status",
    "screening:regrading-status",
    "screening:site-outcomes",
    "screening:site-outcomes-edit",
    "screening:site-outcome-table",
    "screening:site-message-texts",
    "screening:site-message-text",
    "screening:site-protocol",
    "screening:site-operating-point",
    "screening:site-letterhead",
    "screening:document-check",
    "screening:predict",
    "api:predict",
    "api:model",
    "api:sites",
    "api:site-outcome-tables",
    "api:site-outcome-table-in-force",
    "api:not-found",
    "fhir:metadata",
    "fhir:not-found",
    "admin:jsi18n",
    "admin:login",
    "admin:logout",
    "admin:password_change",
}
"""Routes that show nothing of a patient or a user. A prediction leaves its own event."""
PHOTO_ROUTES = {"screening:image-tile"}
"""Routes that show a photograph many times, a part in each request."""
RENDITION_ROUTES = PHOTO_ROUTES | {"screening:image-thumbnail"}
"""Routes whose photograph is viewed only when its page is displayed, if the page is rendered in advance."""


def audit_access(get_response: GetResponse) -> GetResponse:
    """Set the facts of the request for its events, and record a view or a refusal that left no event."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_panel = request.path.startswith("/admin/")
        purpose = Purpose.OPERATIONS.value if is_panel else _purpose(request)
        facts = RequestFacts(
            address=_address(request),
            request_id=getattr(request, "request_id", ""),
            purpose=purpose or Purpose.TREATMENT.value,
            is_panel=is_panel,
            user=request.user,
            only_reads=request.method in {"GET", "HEAD"},
        )
        if purpose is None:
            return _unknown_purpose()
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


def _purpose(request: HttpRequest) -> str | None:
    """The purpose that a client of the API gives; for pages that of the route. None for a code that is not listed."""
    text = request.headers.get(PURPOSE_HEADER, "") if is_for_programs(request) else ""
    if not text:
        return Purpose.TREATMENT.value
    return text if text in CLIENT_PURPOSES else None


def _unknown_purpose() -> JsonResponse:
    message = _("The purpose is unknown. Send one of these in %(header)s: %(codes)s.")
    texts = {"header": PURPOSE_HEADER, "codes": ", ".join(CLIENT_PURPOSES)}
    body = {"code": "unknown_purpose", "message": message % texts, "fields": {}}
    return JsonResponse(body, status=400, headers={"Cache-Control": "no-store"})


def _record(request: HttpRequest, status: int, facts: RequestFacts) -> None:
    match = request.resolver_match
    if match is None or match.app_name.split(":")[0] not in _APPS:
        return
    user = request.user if isinstance(request.user, User) else None
    if status in REFUSED:
        _record_refusal(request, status, user)
    elif (
        (status < 300 or status == NOT_MODIFIED)
        and _is_unrecorded_read(request, facts)
        and user is not None
        and match.view_name not in WITHOUT_PATIENT_DATA
    ):
        is_in_advance = match.view_name in RENDITION_ROUTES and is_prefetch(request)
        record = _record_in_advance if is_in_advance else _record_view
        record(match.view_name, match.kwargs, user)


def _is_unrecorded_read(request: HttpRequest, facts: RequestFacts) -> bool:
    """Whether the request reads and left no event; actions leave theirs."""
    return request.method in {"GET", "HEAD"} and not facts.n_events


def _record_refusal(request: HttpRequest, status: int, user: User | None) -> None:
    match = request.resolver_match
    if match is None or match.view_name in {"api:not-found", "fhir:not-found"}:
        return
    name, record_id = addressed_record(match.kwargs)
    data: dict[str, str | float | bool | None] = {"route": match.view_name, "status": status}
    if name:
        data["record"] = record_id
    record_event(verb=Verb.ACCESS_REFUSED, subject=None, site=None, data=data, by=user)


def _record_in_advance(route: str, kwargs: dict[str, Any], user: User) -> None:
    """The view follows from ``services.prefetches`` when the page is displayed."""
    name, record_id = addressed_record(kwargs)
    if not _is_repeated(f"{user.pk}:in-advance:{record_id}"):
        data: dict[str, str | float | bool | None] = {"route": route}
        site = site_of_addressed(name, record_id)
        record_event(verb=Verb.IMAGE_PREFETCHED, subject=FundusImage(pk=record_id), site=site, data=data, by=user)


def _record_view(route: str, kwargs: dict[str, Any], user: User) -> None:
    name, record_id = addressed_record(kwargs)
    if _is_repeated(f"{user.pk}:{route}:{record_id}"):
        return
    data: dict[str, str | float | bool | None] = {"route": route}
    if name:
        data["record"] = record_id
    verb = Verb.RECORD_VIEWED if name else Verb.LIST_VIEWED
    subject = FundusImage(pk=record_id) if route in PHOTO_ROUTES else None
    if subject is not None:
        verb = Verb.IMAGE_VIEWED
    record_event(verb=verb, subject=subject, site=site_of_addressed(name, record_id), data=data, by=user)


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
    record_event(verb=Verb.LOGIN_FAILED, subject=account, site=None, by=_user_of_session())


@receiver(user_locked_out)
def _locked_out(username: str = "", **_kwargs: Any) -> None:
    account = User.objects.filter(username=username or "").first()
    record_event(verb=Verb.LOCKED_OUT, subject=account, site=None, by=_user_of_session())
    queue_lockout_notice(username=username or "")


@receiver(post_delete, sender=AccessAttempt)
def _lockout_removed(instance: Any, **_kwargs: Any) -> None:
    """Removed in the panel or by a command; those that expire are deleted at a log-in."""
    facts = current_facts()
    if facts is not None and not facts.is_panel:
        return
    account = User.objects.filter(username=instance.username or "").first()
    record_event(verb=Verb.LOCKOUT_REMOVED, subject=account, site=None, by=_user_of_session())


def _user_of_session() -> User | None:
    """Who is logged in: on the page that changes a password, a wrong one is entered by that user."""
    facts = current_facts()
    return facts.user if facts is not None and isinstance(facts.user, User) else None

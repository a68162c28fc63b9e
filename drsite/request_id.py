"""One id for what a request sets going: in its answer, in its log lines, and in the tasks that it queues."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

request_id: ContextVar[str] = ContextVar("request_id", default="")
task_id: ContextVar[str] = ContextVar("task_id", default="")
HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[0-9A-Za-z_-]{8,64}")
"""Ids as proxies make them; anything else could hold a name, or a line that looks like one of ours."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TASK_HEADER = "request_id"
_current_task = task_id  # Celery's signals call an argument so too
GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id_middleware(get_response: GetResponse) -> GetResponse:
    """Take or make the request's id, note how it went, and give the id back. Around all middleware that may fail."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        token = request_id.set(given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex)
        started = time.perf_counter()
        try:
            response = get_response(request)
            response[HEADER] = request_id.get()
            _log_request(request, response.status_code, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)

    return middleware


def _log_request(request: HttpRequest, status: int, seconds: float) -> None:
    from drsite.metrics import count_request

    match = request.resolver_match
    view = match.view_name if match is not None else ""
    method = request.method if request.method in _METHODS else "OTHER"
    count_request(view=view, method=method or "OTHER", status=status, seconds=seconds)
    user = getattr(request, "_cached_user", None)  # NB: request.user itself would ask the database
    logger.info(
        "%s %s %d",
        method,
        view or "-",
        status,
        extra={
            "method": method,
            "view": view,
            "status": status,
            "ms": round(seconds * 1000),
            "user_id": getattr(user, "pk", None),
        },
    )


@before_task_publish.connect
def send_request_id(headers: dict[str, Any] | None = None, **_kwargs: Any) -> None:
    """Let the task know which request it comes from; a task that sends another passes the id on."""
    if headers is not None and request_id.get():
        headers[_TASK_HEADER] = request_id.get()


@task_prerun.connect
def take_request_id(task_id: str = "", task: Any = None, **_kwargs: Any) -> None:
    """What the task logs carries its id and that of its request."""
    _current_task.set(task_id)
    given = getattr(getattr(task, "request", None), _TASK_HEADER, None)
    request_id.set(given if isinstance(given, str) and _ACCEPTABLE.fullmatch(given) else "")


@task_postrun.connect
def clear_ids(**_kwargs: Any) -> None:
    """The next task in this process has ids of its own."""
    _current_task.set("")
    request_id.set("")

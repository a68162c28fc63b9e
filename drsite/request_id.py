"""Request ids: in the response, in log lines, and in the tasks that a request queues."""

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
_VALID_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
"""Other texts could hold a name, or imitate a log line."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TASK_HEADER = "request_id"
_current_task_id = task_id  # Celery's signals have an argument of the same name
GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id_middleware(get_response: GetResponse) -> GetResponse:
    """Take the id of the proxy or create one, log and count the request, and return the id in the response."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        token = request_id.set(given if _VALID_ID.fullmatch(given) else uuid.uuid4().hex)
        request.request_id = request_id.get()  # type: ignore[attr-defined]  # for audit events
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
    from drsite.metrics import count_request  # late: it needs the models and PROMETHEUS_MULTIPROC_DIR

    view = request.resolver_match.view_name if request.resolver_match else ""
    method = request.method if request.method in _METHODS else "OTHER"
    count_request(view=view, method=method or "OTHER", status=status, seconds=seconds)
    user = getattr(request, "_cached_user", None)  # NB: request.user would query the database
    extra = {
        "method": method,
        "view": view,
        "status": status,
        "ms": round(seconds * 1000),
        "user_id": getattr(user, "pk", None),
    }
    logger.info("%s %s %d", method, view or "-", status, extra=extra)


@before_task_publish.connect
def send_request_id(headers: dict[str, Any] | None = None, **_kwargs: Any) -> None:
    """Add the request id to the headers of a task."""
    if headers is not None and request_id.get():
        headers[_TASK_HEADER] = request_id.get()


@task_prerun.connect
def set_ids(task_id: str = "", task: Any = None, **_kwargs: Any) -> None:
    """Set the ids of a task and of its request for the log lines of the task."""
    _current_task_id.set(task_id)
    given = getattr(getattr(task, "request", None), _TASK_HEADER, None)
    request_id.set(given if isinstance(given, str) and _VALID_ID.fullmatch(given) else "")


@task_postrun.connect
def clear_ids(**_kwargs: Any) -> None:
    _current_task_id.set("")
    request_id.set("")

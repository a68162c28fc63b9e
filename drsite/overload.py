"""Limits of requests handled at once, so that many requests of one kind delay no others.

Each kind has a number of requests that run at once in a process, and a number that wait. Above it a request is refused
(503 with Retry-After), and so is one that has waited MAX_WAIT_S. A request whose client has disconnected meanwhile is
not carried out. Health checks are answered before, by ``drsite.health_endpoints``.
"""

import re
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from screening.views.errors import busy_response

GetResponse = Callable[[HttpRequest], HttpResponse]
MAX_WAIT_S = 8.0
RETRY_AFTER_S = 5
IS_REFUSED = "drsite.is_refused"
"""In the environment of a request whose body was not read, because its gate was full."""
CLIENT_CLOSED_REQUEST = 499
"""As in nginx: for the log alone."""


class Overloaded(Exception):
    """Too many requests of this kind wait already, or this one has waited too long."""


class Gate:
    """At most ``n_running`` threads are inside at once, and at most ``n_waiting`` wait."""

    def __init__(self, n_running: int, n_waiting: int) -> None:
        self.n_threads = n_running + n_waiting
        self._admitted = threading.BoundedSemaphore(self.n_threads)
        self._running = threading.BoundedSemaphore(n_running)

    def is_full(self) -> bool:
        """Whether a request that came now would be refused."""
        if self._admitted.acquire(blocking=False):
            self._admitted.release()
            return False
        return True

    @contextmanager
    def entered(self, timeout_s: float = MAX_WAIT_S) -> Iterator[None]:
        """Raises Overloaded."""
        if not self._admitted.acquire(blocking=False):
            raise Overloaded
        try:
            if not self._running.acquire(timeout=timeout_s):
                raise Overloaded
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()


PHOTOS = Gate(n_running=2, n_waiting=8)
"""A photograph is decoded and stored or graded: about a second of a CPU core."""
IMAGES = Gate(n_running=2, n_waiting=4)
"""A thumbnail or the tiles of a photograph are made, or a TIFF becomes a PNG."""
LOG_INS = Gate(n_running=2, n_waiting=4)
"""The hash of a password takes half a second of a CPU core."""
PAGES = Gate(n_running=4, n_waiting=12)
"""All others: mostly the database."""
N_THREADS = sum(gate.n_threads for gate in (PHOTOS, IMAGES, LOG_INS, PAGES)) + 2
"""Of a process: two for health checks and for responses of 503."""
_PHOTOS = re.compile(r"/try/|/exams/[^/]+/images/|/api/v1/(predict|exams/[^/]+/(images|suggest-eye))")
_IMAGES = re.compile(r"/images/[^/]+/(thumbnail|photo|tiles/.*)/")
_LOG_INS = re.compile(r"/(admin/)?login/")


def limit_concurrency(get_response: GetResponse) -> GetResponse:
    """Middleware: the gate of the request's kind."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            with _gate_entered(request):
                if is_abandoned(request):
                    return HttpResponse(status=CLIENT_CLOSED_REQUEST)
                return get_response(request)
        except Overloaded:
            # LocaleMiddleware has not run: the thread has the language of its last request.
            with translation.override(translation.get_language_from_request(request)):
                return busy_response(request, retry_after_s=RETRY_AFTER_S)

    return middleware


def _gate_entered(request: HttpRequest) -> AbstractContextManager[None]:
    """Raises Overloaded."""
    if request.META.get(IS_REFUSED):
        raise Overloaded
    return gate_of(request.method or "", request.path_info).entered()


def gate_of(method: str, path: str) -> Gate:
    """The gate for a request, by method and path."""
    if _LOG_INS.fullmatch(path):
        return LOG_INS
    if method == "POST":
        return PHOTOS if _PHOTOS.fullmatch(path) else PAGES
    return IMAGES if _IMAGES.fullmatch(path) else PAGES


def is_abandoned(request: HttpRequest) -> bool:
    """Whether the client, or the proxy for it, has closed its connection. False if the server does not tell."""
    client = request.META.get("gunicorn.socket")
    if client is None or not hasattr(select, "POLLRDHUP"):  # Linux only
        return False
    poll = select.poll()
    with suppress(OSError, ValueError):
        poll.register(client, select.POLLRDHUP)
        return bool(poll.poll(0))
    return True

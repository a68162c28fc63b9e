"""Bodies of requests are stored before a request is handled, so that a slow client occupies a thread and nothing else.

A proxy in front does the same. Without one, this also reads chunked bodies: Django needs a known length.
"""

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import IO, Any

from django.conf import settings

from drsite.overload import IS_REFUSED, PHOTOS, gate_of
from screening.errors import is_storage_error
from screening.labels.failures import STORAGE_MESSAGE
from screening.middleware import MAX_BODY_BYTES

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 10
READ_TIMEOUT_S = 30
"""Between two reads, not for the whole body."""
_FILE_TYPES = ("multipart/form-data", "application/offset+octet-stream")
MAX_DISCARDED_BYTES = 8 * 1024 * 1024
"""Of a refused photograph; most are smaller."""
MAX_DISCARD_S = 5.0
_IN_MEMORY_BYTES = 256 * 1024
_BLOCK_BYTES = 64 * 1024
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Incomplete(Exception):
    """The client disconnected, or sent nothing for READ_TIMEOUT_S."""


def store_bodies(application: Application) -> Application:
    """WSGI middleware that stores a body in a temporary file and passes it on with its length.

    A chunked body needs a server that decodes the chunks (``wsgi.input_terminated``); with others,
    ``require_plain_body`` refuses the request. Of a chunked body over MAX_BODY_BYTES it stores one byte more than that,
    so that it is refused as too large; one whose Content-Length is too large is not read at all, and of a photograph
    that is refused anyway MAX_DISCARDED_BYTES are.
    """

    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        n_bytes = _length_to_read(environ)
        if n_bytes is None:
            return application(environ, start_response)
        if _is_refused(environ):
            _discard(environ, min(n_bytes, MAX_DISCARDED_BYTES))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return application(environ | {"wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"}, start_response)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            try:
                n_stored = _store(environ, body, n_bytes)
            except _Incomplete:
                return _respond(start_response, "408 Request Timeout", "incomplete", "The body is incomplete.")
            except OSError as error:
                if not is_storage_error(error):
                    raise
                logger.exception("The folder of temporary files is full or cannot be written: a request is refused")
                return _respond(start_response, "503 Service Unavailable", "storage_unavailable", str(STORAGE_MESSAGE))
            body.seek(0)
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(n_stored)}
            return application(environ, start_response)

    return middleware


def _is_refused(environ: dict[str, Any]) -> bool:
    """Whether a photograph is refused before its body is read: without a log-in, or because others wait already.

    The server closes the connection if its body is longer than what is discarded.
    """
    gate = gate_of(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
    if gate is not PHOTOS:
        return False
    environ[IS_REFUSED] = gate.is_full()
    has_session = f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
    return environ[IS_REFUSED] or not (has_session or environ.get("HTTP_AUTHORIZATION"))


def _discard(environ: dict[str, Any], n_bytes: int) -> None:
    """Read ``n_bytes`` of a body and drop them, in at most MAX_DISCARD_S: most clients read no response before."""
    client, ends_at = environ.get("gunicorn.socket"), time.monotonic() + MAX_DISCARD_S
    try:
        while n_bytes > 0 and (left_s := ends_at - time.monotonic()) > 0:
            if client is not None:
                client.settimeout(left_s)
            block = environ["wsgi.input"].read(min(_BLOCK_BYTES, n_bytes))
            n_bytes = n_bytes - len(block) if block else 0
    except (TimeoutError, ConnectionError):
        return
    finally:
        if client is not None:
            client.settimeout(None)


def _length_to_read(environ: dict[str, Any]) -> int | None:
    """Bytes of a form with a file or of a part of a file, MAX_BODY_BYTES + 1 of a chunked body; None for others.

    Others are small.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if length:
        is_file = environ.get("CONTENT_TYPE", "").lower().startswith(_FILE_TYPES)
        n_bytes = int(length) if length.isdecimal() and len(length) < 16 else 0
        return n_bytes if is_file and 0 < n_bytes <= MAX_BODY_BYTES else None
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
    return MAX_BODY_BYTES + 1 if is_chunked and environ.get("wsgi.input_terminated") else None


def _store(environ: dict[str, Any], body: IO[bytes], n_bytes: int) -> int:
    """Copy at most ``n_bytes`` to ``body``. Returns how many. Raises _Incomplete if Content-Length names more."""
    client = environ.get("gunicorn.socket")
    if client is not None:
        client.settimeout(READ_TIMEOUT_S)
    try:
        n_stored = 0
        while n_stored < n_bytes and (block := environ["wsgi.input"].read(min(_BLOCK_BYTES, n_bytes - n_stored))):
            n_stored += body.write(block)
    except (TimeoutError, ConnectionError) as error:
        raise _Incomplete from error
    finally:
        if client is not None:
            client.settimeout(None)
    if environ.get("CONTENT_LENGTH") and n_stored < n_bytes:
        raise _Incomplete
    return n_stored


def _respond(start_response: Callable[..., Any], status: str, code: str, message: str) -> Iterable[bytes]:
    """As JSON: browsers send such a body only from a script, or have disconnected."""
    body = json.dumps({"code": code, "message": message, "fields": {}}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Retry-After": str(RETRY_AFTER_S)}
    headers["Cache-Control"] = "no-store"
    start_response(status, list(headers.items()))
    return [body]

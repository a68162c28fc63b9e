"""Chunked request bodies, for a server without a proxy in front: Django reads bodies of a known length only."""

import json
import logging
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any

from screening.errors import is_storage_error
from screening.labels.failures import STORAGE_MESSAGE
from screening.middleware import MAX_BODY_BYTES

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 10
_IN_MEMORY_BYTES = 256 * 1024
_BLOCK_BYTES = 64 * 1024
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def read_chunked_bodies(application: Application) -> Application:
    """WSGI middleware that stores a chunked body in a temporary file and passes it on with its length.

    It needs a server that decodes the chunks (``wsgi.input_terminated``); with others, ``require_plain_body`` refuses
    the request. Of a body over MAX_BODY_BYTES it stores one byte more than that, so that it is refused as too large.
    """

    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
        if not (is_chunked and environ.get("wsgi.input_terminated")) or environ.get("CONTENT_LENGTH"):
            return application(environ, start_response)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            try:
                n_bytes = _copy(environ["wsgi.input"], body)
            except OSError as error:
                if not is_storage_error(error):
                    raise
                return _storage_unavailable(start_response)
            body.seek(0)
            del environ["HTTP_TRANSFER_ENCODING"]
            environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(n_bytes)}
            return application(environ, start_response)

    return middleware


def _copy(source: Any, body: IO[bytes]) -> int:
    """Copy a body to a file, and one byte over MAX_BODY_BYTES at most. Returns the number of bytes."""
    n_bytes = 0
    while n_bytes <= MAX_BODY_BYTES:
        block = source.read(min(_BLOCK_BYTES, MAX_BODY_BYTES + 1 - n_bytes))
        if not block:
            break
        n_bytes += body.write(block)
    return n_bytes


def _storage_unavailable(start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The disk is full: 503 as JSON, because programs send chunked bodies."""
    logger.error("The folder of temporary files is full or cannot be written: a request is refused")
    body = json.dumps({"code": "storage_unavailable", "message": str(STORAGE_MESSAGE), "fields": {}}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Retry-After": str(RETRY_AFTER_S)}
    start_response(
        "503 Service Unavailable", [*headers.items(), ("Connection", "close"), ("Cache-Control", "no-store")]
    )
    return [body]

"""Chunked request bodies, for a server without a proxy in front: Django reads bodies of a known length only."""

import tempfile
from collections.abc import Callable, Iterable
from typing import Any

from screening.middleware import MAX_BODY_BYTES

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
            n_bytes = 0
            while n_bytes <= MAX_BODY_BYTES:
                block = environ["wsgi.input"].read(min(_BLOCK_BYTES, MAX_BODY_BYTES + 1 - n_bytes))
                if not block:
                    break
                n_bytes += body.write(block)
            body.seek(0)
            del environ["HTTP_TRANSFER_ENCODING"]
            environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(n_bytes)}
            return application(environ, start_response)

    return middleware

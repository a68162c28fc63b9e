"""A lock for decoding large photographs one at a time, so that memory suffices."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_PIXELS = 25_000_000
"""Common fundus cameras have 2 to 24 megapixels; a decoder needs up to 22 bytes a pixel (WebP)."""
_lock = threading.Lock()


@contextmanager
def large_image_lock(n_pixels: int) -> Iterator[None]:
    """Decode at most one large photograph at a time in this process; small ones do not wait."""
    if n_pixels <= LARGE_PIXELS:
        yield
        return
    with _lock:
        yield

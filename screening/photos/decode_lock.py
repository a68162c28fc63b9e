"""One large photograph is decoded at a time: several at once could take all of a small server's memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_PIXELS = 25_000_000
"""Common fundus cameras make 2 to 24 megapixels; a decoder takes up to 22 bytes of memory a pixel (WebP)."""
_lock = threading.Lock()


@contextmanager
def large_image_lock(n_pixels: int) -> Iterator[None]:
    """Wait until no other thread of this process decodes a large photograph; smaller ones never wait."""
    if n_pixels <= LARGE_PIXELS:
        yield
        return
    with _lock:
        yield

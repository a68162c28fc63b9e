"""The database of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import cache
from django.db import transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is stored inside is rolled back, as after a test: for cases that change the same records in one test."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # as of Django's TestCase: blocks that must be the outermost can be inside
    with block:
        yield
        transaction.set_rollback(True)
    cache.clear()

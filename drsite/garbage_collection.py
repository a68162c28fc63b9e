"""Garbage collection of a process that serves requests."""

import gc

from django.urls import get_resolver

THRESHOLDS = (10_000, 5, 10)
"""Of ``gc.set_threshold``; by default (700, 10, 10), which a long list of the API exceeds a dozen times."""


def collect_less_often() -> None:
    """Collect garbage less often, and never visit what is loaded now: modules, classes and routes, which stay.

    By default a full collection visits 200,000 such objects in 0.1 to 0.3 s, in the middle of a request.
    """
    _ = get_resolver().url_patterns  # which loads all views
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

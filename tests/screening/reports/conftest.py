"""Tests of documents are skipped without the libraries that WeasyPrint needs."""

import pytest

from screening.reports.engine import missing_libraries


@pytest.fixture
def pango() -> None:
    """Skips the test on a machine without Pango."""
    if missing_libraries():
        pytest.skip(f"documents cannot be made here: {', '.join(missing_libraries())} not installed")

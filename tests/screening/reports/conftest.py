"""Tests of documents are skipped without the libraries that WeasyPrint needs."""

from io import BytesIO
from typing import Any

import pypdf
import pytest

from screening.reports import making
from screening.reports.engine import missing_libraries


@pytest.fixture
def pango() -> None:
    """Skips the test on a machine without Pango."""
    if missing_libraries():
        pytest.skip(f"documents cannot be made here: {', '.join(missing_libraries())} not installed")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters of one empty page, without Pango."""

    def page(html: str, **_more: Any) -> bytes:
        writer, out = pypdf.PdfWriter(), BytesIO()
        writer.add_blank_page(595, 842)
        writer.add_metadata({"/Title": html})
        writer.write(out)
        return out.getvalue()

    monkeypatch.setattr(making, "render_pdf", page)

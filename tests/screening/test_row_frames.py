"""Rows of tables whose template is rendered once."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.template import Context, Template
from django.utils.safestring import SafeString

from screening.templatetags.row_frames import RowFrame

ROW = "_row_of_test.html"
SOURCE = "<td title='{{ label }}'>{{ cell.name }}</td>{% if is_shown %}<td>{{ cell.chip }}</td>{% endif %}"


class Cells:
    """The values of a number."""

    def name(self, row: int) -> str:
        return f"<{row}> & more"

    def chip(self, row: int) -> str:
        return SafeString(f"<b>{row}</b>")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    page, row = Template(""), Template(SOURCE)
    monkeypatch.setattr(page.engine, "get_template", lambda _name: row)
    found = Context({"label": "a < b", "is_shown": True})
    with found.bind_template(page):
        yield found


def test_each_row_has_its_values_and_text_is_escaped(context: Context) -> None:
    html = RowFrame.of_template(context, ROW).filled(Cells(), [1, 2])
    row = "<td title='a &lt; b'>&lt;{0}&gt; &amp; more</td><td><b>{0}</b></td>"
    assert html == row.format(1) + row.format(2)
    assert isinstance(html, SafeString)


def test_columns_that_are_not_shown_are_not_computed(context: Context) -> None:
    context["is_shown"] = False
    cells: Any = type("OnlyName", (), {"name": Cells.name})()
    assert RowFrame.of_template(context, ROW).filled(cells, [7]) == "<td title='a &lt; b'>&lt;7&gt; &amp; more</td>"


def test_no_rows_give_no_html(context: Context) -> None:
    assert RowFrame.of_template(context, ROW).filled(Cells(), []) == ""


def test_a_context_without_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="template"):
        RowFrame.of_template(Context(), ROW)

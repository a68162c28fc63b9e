"""Rows of long tables: the template of a row is rendered once, and the values of each row are put in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

_MARK = "\0"
"""Around the names of cells; no text of a page has it."""


class _Names:
    """``{{ cell.name }}`` in the template of a row."""

    def __getitem__(self, name: str) -> SafeString:
        return SafeString(f"{_MARK}{name}{_MARK}")


@dataclass(frozen=True, slots=True)
class RowFrame:
    """The HTML of a row between its cells, and the names of the cells."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of_template(cls, context: Context, template_name: str) -> "RowFrame":
        """The template of a row with ``{{ cell.name }}`` in place of values.

        NB: conditions and filters of the template see no values: what depends on the row is a value.
        """
        if context.template is None:
            raise ValueError("The context is not of a template that is rendered.")
        template = context.template.engine.get_template(template_name)
        with context.push(cell=_Names()):
            found = template.render(context).split(_MARK)
        return cls(tuple(found[::2]), tuple(found[1::2]))

    def filled(self, cells: Any, rows: Iterable[Any]) -> SafeString:
        """The HTML of all rows. ``cells`` has a method for each name, which takes a row; its text is escaped."""
        values = [getattr(cells, name) for name in self.names]
        html: list[str] = []
        for row in rows:
            for piece, value in zip(self.pieces, values, strict=False):
                html += (piece, conditional_escape(value(row)))
            html.append(self.pieces[-1])
        return SafeString("".join(html))

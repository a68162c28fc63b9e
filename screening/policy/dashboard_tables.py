"""Tables of the dashboard: cells that keep their kind, for the page, the chart and the exported file."""

from dataclasses import dataclass

from screening.policy.proportions import Proportion


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval of 95 %; each is None if it is not defined."""

    value: float | None
    interval: tuple[float, float] | None


Cell = str | int | Proportion | Estimate


def row_of(*cells: Cell) -> tuple[Cell, ...]:
    """A row of a table."""
    return cells


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: ``text`` is the number that is printed beside it."""

    label: str
    n: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``head`` names the columns; a column has cells of one kind. The first one has the name of the row.

    ``bars``: what the chart shows, none without one; ``is_over_time``: they follow each other in time.
    ``is_matrix``: a cell is shaded by its number.
    """

    code: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    bars: tuple[Bar, ...] = ()
    is_over_time: bool = False
    is_matrix: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether it needs the width of the page."""
        return self.code == "summary" or self.is_over_time or len(self.head) > 3

    @property
    def is_folded(self) -> bool:
        """Whether the chart has all that the table has."""
        return self.is_over_time or (bool(self.bars) and not self.is_wide)

    @property
    def largest(self) -> int:
        """The largest number of the bars or, of a matrix, of the cells."""
        if self.is_matrix:
            return max((cell for row in self.rows for cell in row[1:] if isinstance(cell, int)), default=0)
        return max((bar.n for bar in self.bars), default=0)

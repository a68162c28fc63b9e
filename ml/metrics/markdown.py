"""Tables and numbers in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate

Cells = Mapping[str, object]
"""Values by the title of their row or column."""


def table(rows: Iterable[Sequence[object]]) -> str:
    """The first row is the head; cells are shown as they are."""
    text = tabulate([list(map(str, row)) for row in rows], headers="firstrow", tablefmt="github", disable_numparse=True)
    return text + "\n"


def row_table(rows: Sequence[Cells]) -> str:
    """A row for each, with the same titles; the titles are the head. Empty without rows."""
    return table([list(rows[0]), *(list(row.values()) for row in rows)]) if rows else ""


def column_table(columns: Sequence[Cells]) -> str:
    """A column for each, with the same titles; the titles are the first column, the first values the head."""
    return table([[title, *(column[title] for column in columns)] for title in columns[0]])


def with_interval(value: Sequence[float | None] | float | None) -> str:
    """0.888 (0.850-0.921) of [value, low, high]; "-" of None."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    estimate, low, high = value
    return f"{estimate:.3f}" if low is None or high is None else f"{estimate:.3f} ({low:.3f}-{high:.3f})"


def metric_cells(metrics: Mapping[str, Sequence[float | None] | None], titles: Mapping[str, str]) -> dict[str, object]:
    """Metrics with their intervals, by title; ``titles`` by name."""
    return {title: with_interval(metrics[name]) for name, title in titles.items()}

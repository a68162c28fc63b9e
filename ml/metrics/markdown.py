"""Tables and numbers in Markdown."""

from collections.abc import Iterable, Sequence

from tabulate import tabulate


def table(rows: Iterable[Sequence[object]]) -> str:
    """The first row is the head; cells are shown as they are."""
    text = tabulate([list(map(str, row)) for row in rows], headers="firstrow", tablefmt="github", disable_numparse=True)
    return text + "\n"


def with_interval(value: Sequence[float | None] | float | None) -> str:
    """0.888 (0.850-0.921) of [value, low, high]; "-" of None."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    estimate, low, high = value
    return f"{estimate:.3f}" if low is None or high is None else f"{estimate:.3f} ({low:.3f}-{high:.3f})"

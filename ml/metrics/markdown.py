"""Tables and figures in Markdown, as cards and reports show them."""


def line(cells: list[str]) -> str:
    """| one | two |"""
    return f"| {' | '.join(cells)} |"


def table(rows: list[list[str]]) -> str:
    """The first row as the head, and the others below it; lines end in a newline."""
    head, *body = rows
    return "".join(line(cells) + "\n" for cells in [head, ["---"] * len(head), *body])


def with_interval(figure: list[float | None] | float | None) -> str:
    """0.888 (0.850-0.921)"""
    if figure is None:
        return "-"
    if isinstance(figure, float):
        return f"{figure:.3f}"
    value, low, high = figure
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f}-{high:.3f})"

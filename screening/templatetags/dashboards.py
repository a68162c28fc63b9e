"""Tables and charts of the dashboard. Charts are SVG with sizes in per cent and pixels: texts keep their size."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from screening.labels.drift import changed_text
from screening.models import DriftCheck
from screening.policy.dashboard_tables import Bar, Cell, Estimate, Table
from screening.policy.proportions import Proportion
from screening.templatetags.referrals import proportion
from screening.templatetags.teaching import kappa_text

register = template.Library()
ROW_PX, COLUMNS_PX, TOP_PX = 36, 150, 18
N_SHADES = 4
MAX_DESCRIBED = 12
"""Bars that the description of a chart names one by one; its table has all."""


@register.filter
def changed_features(check: DriftCheck) -> str:
    """What changed, in words: ``Camera, Brightness``."""
    return changed_text(check.changed)


@register.filter
def table_cell(cell: Cell) -> str:
    """The text of a cell: a proportion with its counts and interval, an estimate with its interval."""
    if isinstance(cell, Proportion):
        counts = _("%(x)s of %(n)s") % {"x": number_format(cell.n_positive), "n": number_format(cell.n)}
        return f"{proportion(cell)} · {counts}" if cell.n else "–"
    if isinstance(cell, Estimate):
        return kappa_text(cell.value, cell.interval)
    return number_format(cell, use_l10n=True, force_grouping=True) if isinstance(cell, int) else cell


@register.filter
def cell_value(cell: Cell) -> str:
    """The text of a cell without the interval and the counts of a proportion."""
    if isinstance(cell, Proportion):
        return "–" if cell.value is None else _("%(share)d %%") % {"share": round(100 * cell.value)}
    return table_cell(cell)


@register.filter
def cell_detail(cell: Cell) -> str:
    """The interval and the counts of a proportion; empty for another cell."""
    if not isinstance(cell, Proportion) or cell.interval is None:
        return ""
    low, high = (round(100 * limit) for limit in cell.interval)
    values = {"low": low, "high": high, "x": number_format(cell.n_positive), "n": number_format(cell.n)}
    return _("%(low)d to %(high)d %% · %(x)s of %(n)s") % values


@register.filter
def named_cells(row: tuple[Cell, ...], table: Table) -> Iterator[tuple[str, Cell, int]]:
    """The name of the column of each cell, the cell, and in a matrix how dark it is shaded, from 0."""
    for name, cell in zip(table.head, row, strict=True):
        is_shaded = table.is_matrix and isinstance(cell, int) and cell > 0
        shade = -(-cell * N_SHADES // table.largest) if is_shaded and isinstance(cell, int) else 0
        yield name, cell, shade


@register.simple_tag
def bar_chart(table: Table) -> SafeString:
    """The chart of a table; empty without bars."""
    if not table.bars or not table.largest:
        return SafeString("")
    is_bidi = get_language_bidi()
    context = {
        "table": table,
        "description": _description(table),
        "start": "100%" if is_bidi else "0",
        "end": "0" if is_bidi else "100%",
    }
    if table.is_over_time:
        return _columns(table, context, is_bidi=is_bidi)
    rows = [_bar(index, bar, table.largest, is_bidi=is_bidi) for index, bar in enumerate(table.bars)]
    context |= {"bars": rows, "height": ROW_PX * len(rows)}
    return render_to_string("screening/dashboards/_bars.html", context)


def _bar(index: int, bar: Bar, largest: int, *, is_bidi: bool) -> dict[str, Any]:
    percent = 100 * bar.n / largest
    text = number_format(bar.n, force_grouping=True)
    return {
        "label": bar.label,
        "text": f"{text} · {bar.text}" if bar.text else text,
        "text_y": ROW_PX * index + 14,
        "y": ROW_PX * index + 20,
        "x": f"{100 - percent if is_bidi else 0:.2f}%",
        "width": f"{percent:.2f}%",
    }


def _columns(table: Table, context: dict[str, Any], *, is_bidi: bool) -> SafeString:
    """Columns from the oldest to the newest, in the direction of the language."""
    step = 100 / len(table.bars)
    base = TOP_PX + COLUMNS_PX
    bars = []
    for index, bar in enumerate(table.bars):
        column = len(table.bars) - 1 - index if is_bidi else index
        height = COLUMNS_PX * bar.n / table.largest
        bars.append(
            {
                "label": bar.label,
                "n": bar.n,
                "x": f"{column * step + step * 0.1:.3f}%",
                "width": f"{step * 0.8:.3f}%",
                "y": f"{base - height:.1f}",
                "height": f"{height:.1f}",
            }
        )
    labels = {"first": table.bars[0].label, "last": table.bars[-1].label if len(table.bars) > 1 else ""}
    sizes = {"top": TOP_PX, "base": base, "text_y": base + 16, "height": base + 22}
    return render_to_string("screening/dashboards/_columns.html", context | labels | sizes | {"bars": bars})


def _description(table: Table) -> str:
    """What the chart shows, for who does not see it."""
    if len(table.bars) > MAX_DESCRIBED:
        highest = max(table.bars, key=lambda bar: bar.n)
        values = {"n": len(table.bars), "label": highest.label, "largest": highest.n}
        return _("%(n)d bars; the largest is %(label)s with %(largest)d. The table has all numbers.") % values
    return "; ".join(f"{bar.label}: {bar.n}" for bar in table.bars)

"""Filters of the worklist as parameters of its address, and of its form.

The address is a link that another user can open: it contains nothing of a patient. A search text is not part of it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from screening.forms.worklist import ANY
from screening.models import Site
from screening.policy import ExamQuality, WorklistRank
from screening.selectors.worklist_filters import Reading, WorklistFilters, WorklistSort, WorklistState
from screening.views.parameters import value_of

YES = "yes"
"""The value of a filter that is on."""
RANKS = {
    "sight": WorklistRank.SIGHT_THREATENING,
    "referable": WorklistRank.REFERABLE,
    "limited": WorklistRank.LIMITED,
    "routine": WorklistRank.ROUTINE,
}
PARAMETERS = ("state", "site", "quality", "model", "reading", "mine", "overdue", "sort")


def read_filters(data: QueryDict, *, sites: Iterable[Site], default: WorklistState) -> WorklistFilters:
    """The filters of an address or a form. Raises InvalidParameter for a value that a filter does not have."""
    by_code = {site.code: site for site in sites}

    def chosen(name: str, values: Collection[str]) -> str | None:
        value = value_of(data, name, values=[ANY, *values], default=ANY)
        return None if value == ANY else value

    def member(name: str, enum: Any) -> Any:
        value = chosen(name, list(enum))
        return None if value is None else enum(value)

    site, rank = chosen("site", by_code), chosen("model", RANKS)
    return WorklistFilters(
        state=WorklistState(value_of(data, "state", values=list(WorklistState), default=default)),
        site=by_code[site] if site else None,
        quality=member("quality", ExamQuality),
        rank=RANKS[rank] if rank else None,
        reading=member("reading", Reading),
        is_mine=chosen("mine", [YES]) == YES,
        is_overdue=chosen("overdue", [YES]) == YES,
        sort=WorklistSort(value_of(data, "sort", values=list(WorklistSort), default=WorklistSort.BAND)),
    )


def query_of(filters: WorklistFilters, **changes: Any) -> str:
    """The query string of the filters after ``changes``. It always has the state, whose default differs by role."""
    chosen = replace(filters, **changes)
    values = {
        "state": chosen.state,
        "site": chosen.site.code if chosen.site else None,
        "quality": chosen.quality,
        "model": next((name for name, rank in RANKS.items() if rank is chosen.rank), None),
        "reading": chosen.reading,
        "mine": YES if chosen.is_mine else None,
        "overdue": YES if chosen.is_overdue else None,
        "sort": None if chosen.sort is WorklistSort.BAND else chosen.sort,
    }
    return urlencode({name: str(value) for name, value in values.items() if value is not None})

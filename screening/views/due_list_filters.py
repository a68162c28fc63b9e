"""Filters of the due list as parameters of its address, and of its form. Nothing of a patient is among them."""

import datetime
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from screening.forms.due_list import ANY, YES
from screening.policy.recall import NextStep, RecallState
from screening.selectors.due_list import DueFilters
from screening.views.parameters import InvalidParameter, value_of

PARAMETERS = ("state", "step", "due_by", "never")


def read_filters(data: QueryDict) -> DueFilters:
    """The filters of an address or a form. Raises InvalidParameter for a value that a filter does not have."""
    state, step = _chosen(data, "state", RecallState), _chosen(data, "step", NextStep)
    return DueFilters(
        state=None if state is None else RecallState(state),
        step=None if step is None else NextStep(step),
        due_by=_day(data.get("due_by", "")),
        is_never_screened=value_of(data, "never", values=[YES, ANY], default=ANY) == YES,
    )


def query_of(filters: DueFilters) -> str:
    """The query string of the filters."""
    values = {
        "state": filters.state,
        "step": filters.step,
        "due_by": filters.due_by,
        "never": YES if filters.is_never_screened else None,
    }
    return urlencode({name: str(value) for name, value in values.items() if value is not None})


def _chosen(data: QueryDict, name: str, values: Any) -> str | None:
    value = value_of(data, name, values=[ANY, *values], default=ANY)
    return None if value == ANY else value


def _day(text: str) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter(_("“due_by” is a date, such as 2027-01-31.")) from error

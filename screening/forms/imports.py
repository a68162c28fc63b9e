"""Forms of imports."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.imports import DATE_ORDER_LABELS
from screening.policy.imports import DateOrder, RowAnswer

MAX_LINES = 100
"""Rows that are answered at once."""


class ImportFileForm(forms.Form):
    """The file to check. The service has the limits of its size and content."""

    file = forms.FileField(
        label=_("CSV or XLSX file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}), allow_empty_file=True
    )


class DateOrderForm(forms.Form):
    """What comes first in the dates of the file."""

    order = forms.ChoiceField(
        label=_("The dates are written as"),
        choices=[(one.value, DATE_ORDER_LABELS[one]) for one in DateOrder if one],
        widget=forms.RadioSelect,
    )


class AnswerForm(forms.Form):
    """The decision about rows with a question."""

    answer = forms.ChoiceField(choices=[(one.value, one.value) for one in RowAnswer if one])
    lines = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *args: Any, lines: list[int], **kwargs: Any) -> None:
        """``lines``: rows of the page."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["lines"]
        field.choices = [(line, line) for line in lines]


class ApplyForm(forms.Form):
    """Whether rows may be left out."""

    leaves_out = forms.BooleanField(required=False)

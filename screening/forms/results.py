"""Filters of the signed results."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.forms.worklist import ANY
from screening.labels.reviews import OUTCOME_CHOICES


class ResultListForm(forms.Form):
    """Site, outcome and days."""

    site = forms.ChoiceField(label=_("Site"), required=False)
    outcome = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[(ANY, pgettext_lazy("outcomes", "All")), *OUTCOME_CHOICES]
    )
    from_on = forms.DateField(
        label=_("Signed from"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    to_on = forms.DateField(
        label=_("Signed until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        """``sites``: codes and names."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["site"]
        field.choices = [(ANY, _("All")), *sites]

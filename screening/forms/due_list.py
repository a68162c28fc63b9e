"""Search and filters of the due list."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from screening.forms.patients import PatientSearchForm
from screening.labels.recall import STATE_LABELS, STEP_LABELS
from screening.policy.recall import NextStep, RecallState

ANY = "all"
"""The value of a filter that is off."""
YES = "yes"


class DueListForm(PatientSearchForm):
    """A search text and the filters; sent by POST so that no name is in an address or a server's log."""

    state = forms.ChoiceField(label=_("Status"), required=False)
    step = forms.ChoiceField(label=_("To do today"), required=False)
    due_by = forms.DateField(
        label=_("Due by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("This is no date. Write it as 2027-01-31.")},
    )
    never = forms.BooleanField(
        label=_("Never screened"), required=False, widget=forms.CheckboxInput(attrs={"value": YES})
    )

    def __init__(self, *args: Any, counts: Mapping[RecallState, int], **kwargs: Any) -> None:
        """``counts``: number of people in each state."""
        super().__init__(*args, **kwargs)
        states = [(state.value, f"{STATE_LABELS[state]} ({n})") for state, n in counts.items()]
        steps = [(step.value, STEP_LABELS[step]) for step in NextStep if step is not NextStep.LOST]
        choices: dict[str, Any] = {
            "state": [(ANY, _("All")), *states],
            "step": [(ANY, pgettext("steps", "All")), *steps],
        }
        for name, options in choices.items():
            field: Any = self.fields[name]
            field.choices = options

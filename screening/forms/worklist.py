"""Search, filters and arrangement of the worklist."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.forms.patients import PatientSearchForm
from screening.selectors.worklist_filters import WorklistSort, WorklistState

ANY = "all"
"""The value of a filter that is off."""
Choices = Sequence[tuple[str, Any]]
SORT_LABELS = {
    WorklistSort.BAND: _("Order of reading"),
    WorklistSort.DUE: _("Due time"),
    WorklistSort.WAITING: _("Longest waiting"),
    WorklistSort.PATIENT: _("Patient"),
}
OPEN_SORT_LABELS = {
    WorklistSort.BAND: _("Returned first"),
    WorklistSort.WAITING: _("Oldest first"),
    WorklistSort.PATIENT: _("Patient"),
}
_ALL = {
    "site": _("All"),
    "quality": pgettext_lazy("qualities", "All"),
    "model": _("All"),
    "reading": pgettext_lazy("readings", "All"),
}


class WorklistForm(PatientSearchForm):
    """A search text and the filters; sent by POST so that no name is in an address or a server's log.

    The view validates the filters, which can also be parameters of the address.
    """

    state = forms.CharField(required=False, widget=forms.HiddenInput)
    site = forms.ChoiceField(label=_("Site"), required=False)
    quality = forms.ChoiceField(label=_("Quality"), required=False)
    model = forms.ChoiceField(label=_("Result of the model"), required=False)
    reading = forms.ChoiceField(label=_("Reading"), required=False)
    sort = forms.ChoiceField(label=_("Order"), required=False)
    mine = forms.BooleanField(label=_("Mine"), required=False, widget=forms.CheckboxInput(attrs={"value": "yes"}))
    overdue = forms.BooleanField(
        label=pgettext_lazy("exams", "Overdue"), required=False, widget=forms.CheckboxInput(attrs={"value": "yes"})
    )

    def __init__(
        self, *args: Any, choices: Mapping[str, Choices], state: WorklistState, sees_people: bool, **kwargs: Any
    ) -> None:
        """``choices`` of each select, without the order; a filter that is not among them is left out.

        Without ``sees_people`` there is no order by patient.
        """
        super().__init__(*args, **kwargs)
        is_waiting = state is WorklistState.WAITING
        labels = SORT_LABELS if is_waiting else OPEN_SORT_LABELS
        orders: Choices = [
            (one.value, label) for one, label in labels.items() if sees_people or one is not WorklistSort.PATIENT
        ]
        offered = {name: [(ANY, _ALL[name]), *options] for name, options in choices.items()} | {"sort": orders}
        for name in ("site", "quality", "model", "reading", "sort"):
            if name in offered:
                cast("forms.ChoiceField", self.fields[name]).choices = list(offered[name])
            else:
                del self.fields[name]
        if not is_waiting:
            del self.fields["overdue"]


class WorklistLayoutForm(forms.Form):
    """The arrangement of the worklist as the user chose it."""

    is_dense = forms.BooleanField(required=False)

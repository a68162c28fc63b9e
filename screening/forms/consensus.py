"""The decision of a senior reviewer between two readers."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.forms.lesions import LESION_PREFIX
from screening.models import Reading, Review
from screening.models.base import max_length

OWN = "own"
_OWN_ARE_LOST = _("You entered own findings, which are lost if you take over a reading. Choose them, or tick this box.")
_SUGGESTED = ("landmarks",)
"""Entries that the page makes itself."""


class ConsensusForm(forms.Form):
    """One of the readings, or own findings, with the reason."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the readings, or your own findings.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=max_length(Reading, "reason"),
        error_messages={"required": _("Enter the reason for your decision.")},
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=max_length(Review, "note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    drops_own = forms.BooleanField(label=_("Sign without the own findings"), required=False)

    def __init__(self, *args: Any, readings: Iterable[Reading], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_own = has_own_findings(self.data)
        choices = [(str(one.pk), _("Take over the reading of %(who)s") % {"who": one.reader}) for one in readings]
        self.fields["decision"].choices = [*choices, (OWN, _("Own findings, entered below"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask before own findings are lost because a reading is taken over."""
        data = super().clean() or {}
        if self.has_own and data.get("decision", OWN) != OWN and not data["drops_own"]:
            text = _(
                "You entered own findings, which are lost if you take over a reading. Choose them, or tick this box."
            )
            self.add_error("drops_own", text)
        return data


def has_own_findings(data: Mapping[str, str]) -> bool:
    """Whether anything was entered for an eye, from the grade to a mark."""
    for name, text in data.items():
        eye, _dash, field = name.partition("-")
        absent = {"", "0"} if field.startswith(LESION_PREFIX) else {"", "[]"}
        if eye in set(Laterality) and field not in _SUGGESTED and text.strip() not in absent:
            return True
    return False

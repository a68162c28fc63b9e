"""The decision of a senior reviewer between two readers."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.models import Reading, Review
from screening.models.base import max_length

OWN = "own"


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

    def __init__(self, *args: Any, readings: Iterable[Reading], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.pk), _("Take over the reading of %(who)s") % {"who": one.reader}) for one in readings]
        self.fields["decision"].choices = [*choices, (OWN, _("Own findings, entered below"))]  # type: ignore[attr-defined]

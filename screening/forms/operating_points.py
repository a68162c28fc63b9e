"""The form of the operating point of a site."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.models import SiteThreshold
from screening.models.base import max_length

OWN = "own"


class OperatingPointForm(forms.Form):
    """A threshold of the model's table, or the model's own, and why.

    ``base``: the newest threshold of the site when the page was opened; empty without one.
    """

    point = forms.ChoiceField(label=_("Operating point"), error_messages={"required": _("Choose an operating point.")})
    reason = forms.CharField(label=_("Reason"), max_length=max_length(SiteThreshold, "reason"))
    base = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, thresholds: tuple[float, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["point"]
        field.choices = [(code, code) for code in (OWN, *(code_of(one) for one in thresholds))]

    @property
    def operating_point(self) -> float | None:
        """The threshold of a valid form; None: the model's own."""
        point = self.cleaned_data["point"]
        return None if point == OWN else float(point)


def code_of(threshold: float) -> str:
    """A threshold as the value of a choice."""
    return repr(threshold)

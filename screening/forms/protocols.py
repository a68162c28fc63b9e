"""The form of the reading protocol of a site."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.protocols import PROTOCOL_KIND_CHOICES
from screening.models import SiteProtocol
from screening.policy.protocols import Protocol, ProtocolKind

if TYPE_CHECKING:
    _ProtocolModelForm = forms.ModelForm[SiteProtocol]
else:
    _ProtocolModelForm = forms.ModelForm


class ProtocolForm(_ProtocolModelForm):
    """A new version. ``base``: the version that was in force when the page was opened, 0 if there was none."""

    base = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = SiteProtocol
        fields = (
            "kind",
            "negative_percent",
            "arbitrates_any_difference",
            "repeat_percent",
            "repeat_weeks",
            "reason",
        )
        widgets = {"kind": forms.RadioSelect}
        help_texts = {
            "negative_percent": _("The usual figure is 10."),
            "repeat_percent": _("At a site that reads blind first; 0 for none. No result changes by it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = PROTOCOL_KIND_CHOICES  # type: ignore[attr-defined]  # without an empty one

    @property
    def protocol(self) -> Protocol:
        """The rules of a valid form."""
        values = self.cleaned_data
        return Protocol(
            kind=ProtocolKind(values["kind"]),
            negative_percent=values["negative_percent"],
            arbitrates_any_difference=values["arbitrates_any_difference"],
            repeat_percent=values["repeat_percent"],
            repeat_weeks=values["repeat_weeks"],
        )

"""Form of a contact with a person."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.recall import CHANNEL_CHOICES, KIND_LABELS, RESULT_LABELS
from screening.models import ContactAttempt
from screening.models.base import max_length
from screening.policy.recall import RESULTS, ContactChannel, ContactKind, ContactResult


class ContactForm(forms.Form):
    """What was tried, how, when, and what came of it. ``base``: id of the newest contact when the page was opened."""

    contact = forms.ChoiceField(label=_("Contact and result"))
    channel = forms.ChoiceField(label=_("How"), choices=CHANNEL_CHOICES)
    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    note = forms.CharField(label=_("Note"), required=False, max_length=max_length(ContactAttempt, "note"))
    base = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Results are listed by contact."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contact"]
        field.choices = [
            (KIND_LABELS[kind], [(f"{kind}:{one}", f"{KIND_LABELS[kind]}: {RESULT_LABELS[one]}") for one in results])
            for kind, results in RESULTS.items()
        ]

    @property
    def values(self) -> dict[str, Any]:
        """The contact of a valid form, as the service takes it."""
        kind, _colon, result = self.cleaned_data["contact"].partition(":")
        return {
            "kind": ContactKind(kind),
            "result": ContactResult(result),
            "channel": ContactChannel(self.cleaned_data["channel"]),
            "on": self.cleaned_data["on"],
            "note": self.cleaned_data["note"],
            "base": self.cleaned_data["base"],
        }

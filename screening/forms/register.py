"""Form of a change in the register."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.register import REASON_LABELS, STATUS_CHOICES, STATUS_LABELS
from screening.models import RegisterEntry
from screening.models.base import max_length
from screening.policy.register import REASONS, RegisterReason, RegisterStatus


def _day(**options: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options)


class RegisterEntryForm(forms.Form):
    """The new status of a person, with reason and days. ``base``: id of the newest entry when the page was opened."""

    status = forms.ChoiceField(label=_("Status"), choices=[("", _("Choose")), *STATUS_CHOICES])
    reason = forms.ChoiceField(label=_("Reason"))
    from_on = _day(label=_("Since"), help_text=_("The day from which this is true, today at the latest."))
    until_on = _day(
        label=_("Last day"),
        required=False,
        help_text=_("Of a suspension or an opt-out. The person is invited again after it."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=max_length(RegisterEntry, "note"),
        help_text=_("Needed for “Other”. It is kept with the record."),
    )
    base = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Reasons are listed by status."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["reason"]
        field.choices = [("", _("Choose"))] + [
            (STATUS_LABELS[status], [(f"{status}:{reason}", REASON_LABELS[reason]) for reason in reasons])
            for status, reasons in REASONS.items()
        ]

    def clean_status(self) -> RegisterStatus:
        """The status as its enumeration."""
        return RegisterStatus(self.cleaned_data["status"])

    def clean_reason(self) -> RegisterReason:
        """The reason as its enumeration. Raises ValidationError for one of another status."""
        status, _colon, reason = self.cleaned_data["reason"].partition(":")
        if status != self.cleaned_data.get("status", status):
            raise forms.ValidationError(_("Choose a reason that is listed under the status."))
        return RegisterReason(reason)

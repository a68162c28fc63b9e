"""Filters of the audit page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.forms.worklist import ANY
from screening.labels.audit import GROUP_LABELS
from screening.labels.choices import choices


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget)


class AuditFilterForm(forms.Form):
    """Who, what and when; the patient, once one is found, stays as an id."""

    person = forms.ChoiceField(label=_("Person"), required=False)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=[(ANY, _("All")), *choices(GROUP_LABELS)])
    from_on = _day(_("From"))
    to_on = _day(_("Until"))
    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        """``people``: ids and names of users."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.choices = [(ANY, _("All")), *people]


class AuditPatientForm(forms.Form):
    """A medical record number. Sent by POST, so that it is in no address."""

    mrn = forms.CharField(label=_("Medical record number"), max_length=100)

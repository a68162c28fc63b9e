"""The form that exports a list: its filters, a search text and the format."""

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.spreadsheets.writing import FileFormat


class ExportForm(forms.Form):
    """Format and search text. Sent by POST, so that no name is in an address or a server's log."""

    format = forms.ChoiceField(choices=[(one.value, one.value.upper()) for one in FileFormat], label=_("Format"))
    text = forms.CharField(required=False, max_length=200, strip=False)

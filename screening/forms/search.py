"""The form of the search everywhere."""

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.folding import MAX_FOLDED_CHARS
from screening.forms.patients import PatientSearchForm


class SearchForm(PatientSearchForm):
    """A text for the search everywhere."""

    text = forms.CharField(
        label=_("Patient, exam, page or action"),
        max_length=MAX_FOLDED_CHARS,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text=_("Name or medical record number; the number of an exam or a document; the name of a page."),
    )

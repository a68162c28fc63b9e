"""The form of the search everywhere."""

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.folding import MAX_FOLDED_CHARS, is_too_short_for_names


class SearchForm(forms.Form):
    """A search text; sent by POST so that no name is in an address or a server's log."""

    text = forms.CharField(
        label=_("Patient, exam, page or action"),
        max_length=MAX_FOLDED_CHARS,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text=_("Name or medical record number; the number of an exam or a document; the name of a page."),
    )

    def finds_numbers_only(self) -> bool:
        """Whether the text is one letter, for which names are not searched."""
        return self.is_bound and is_too_short_for_names(self.data.get("text", ""))

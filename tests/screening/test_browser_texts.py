"""Plural forms of the texts into which a script inserts a number."""

import pytest
from django.utils import translation

from screening.labels.browser_texts import PLURAL_TEXTS, plural_forms


@pytest.mark.parametrize(
    ("language", "categories"),
    [
        ("en", {"one", "other"}),
        ("fr", {"one", "zero", "other"}),
        ("de", {"one", "other"}),
        ("es", {"one", "other"}),
        ("ar", {"zero", "one", "two", "few", "other"}),
    ],
)
def test_a_text_has_the_forms_of_the_language(language: str, categories: set[str]) -> None:
    with translation.override(language):
        forms = plural_forms("waiting")
        assert set(forms) == categories
        assert len(set(forms.values())) == len(categories) - (language == "fr")  # none counts as one there
        assert all("{n}" in plural_forms(name)["other"] for name in PLURAL_TEXTS)

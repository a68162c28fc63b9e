"""Texts of choices: ``get_status_display`` and others."""

import pytest
from django.db import models
from django.utils import translation

from screening.models import Exam, FundusImage, Referral


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("model", "name"), [(Exam, "status"), (FundusImage, "field"), (Referral, "state")])
def test_the_text_of_a_choice_is_that_of_django(model: type[models.Model], name: str, language: str) -> None:
    field = model._meta.get_field(name)
    with translation.override(language):
        for value in [*(one for one, _text in field.flatchoices), "unknown", None]:  # type: ignore[union-attr]
            row = model(**{name: value})
            text = getattr(row, f"get_{name}_display")()
            assert (text, type(text)) == _of_django(row, field)


def _of_django(row: models.Model, field: object) -> tuple[object, type]:
    text = models.Model._get_FIELD_display(row, field)  # type: ignore[attr-defined]
    return text, type(text)

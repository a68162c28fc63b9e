"""Selects have the HTML of Django's templates, without empty lines."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from drsite.form_renderer import FormRenderer

CHOICES: list[Any] = [
    ("", "---"),
    ("a<b", 'A < "B" & C'),
    (3, 1234567),
    ("lazy", gettext_lazy("Site")),
    ("safe", mark_safe("<b>safe</b>")),
    ("Group & more", [("x", "X"), ("y", "Y")]),
    (None, "none"),
]


@pytest.mark.parametrize("value", [None, "", "a<b", 3, "x"])
@pytest.mark.parametrize("attrs", [{}, {"required": True, "disabled": False, "data-x": '"<&'}])
@pytest.mark.parametrize("widget", [forms.Select, forms.NullBooleanSelect, forms.SelectMultiple])
def test_a_select_is_as_django_renders_it(widget: Any, attrs: dict[str, Any], value: Any) -> None:
    field = widget() if widget is forms.NullBooleanSelect else widget(choices=CHOICES)
    arguments = {"name": "a&b", "value": value, "attrs": attrs}
    expected = field.render(**arguments, renderer=DjangoTemplates()).replace("\n\n", "\n")
    assert "<option" in expected
    assert field.render(**arguments, renderer=FormRenderer()) == expected


def test_other_fields_are_rendered_by_their_templates() -> None:
    field = forms.TextInput()
    expected = field.render("text", "a", renderer=DjangoTemplates())
    assert field.render("text", "a", renderer=FormRenderer()) == expected


def test_forms_use_it() -> None:
    assert isinstance(forms.Form().renderer, FormRenderer)

"""Forms of stored values that another person may change while the page is open."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from screening.labels.directions import isolated
from screening.stored_values import ValuesChanged, as_json

BASE = "base"


class BaseField(forms.CharField):
    """The stored values when the page was opened, as JSON; none if the form does not send them."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def prepare_value(self, value: Any) -> Any:
        """The values as text; a text that was sent stays."""
        return json.dumps(as_json(value)) if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, Any]:
        """Raises ValidationError for another text than the page wrote."""
        try:
            base = json.loads(super().clean(value) or "{}")
        except ValueError:
            base = None
        if not isinstance(base, dict):
            raise forms.ValidationError(_("The form is not complete. Reload the page."))
        return base


def show_stored(form: forms.Form, error: ValuesChanged, stored: forms.Form, entered: Any) -> None:
    """Let a refused form say what is stored now. What was not entered is shown as stored; sent again, it is stored.

    ``stored``: the form as a page that is opened now has it; ``entered``: names of the values that the user changed.
    """
    sent: Any = form.data
    data = sent.copy()
    for name in stored.initial:
        if name == BASE or name not in entered:
            value = stored[name].value()
            data.setlist(name, value if isinstance(value, list) else ["" if value is None else str(value)])
    form.data = data
    text = _("Another person changed this meanwhile. It is now: %(value)s. Save again to store your entry.")
    for name in error.stored:
        form.add_error(name, text % {"value": isolated(_text_of(stored[name]))})


def _text_of(bound: forms.BoundField) -> str:
    """The value of a field in words."""
    value = bound.value()
    values = value if isinstance(value, list) else [value]
    labels = dict(getattr(bound.field, "choices", ()))
    return ", ".join(str(labels.get(one, "" if one is None else one)) for one in values) or "–"

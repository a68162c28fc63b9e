"""The field of a form that holds the marks of an eye as JSON."""

from typing import Any

from django import forms

from screening.labels.marks import mark_error_text, marks_too_long
from screening.policy.marks import MAX_MARKS_CHARS, MarkError, read_marks


class MarksField(forms.CharField):
    """Marks, or an error that names the mark and states what to do."""

    def to_python(self, value: Any) -> Any:
        """A tuple of marks. Raises ValidationError."""
        text = str(super().to_python(value) or "")
        if len(text) > MAX_MARKS_CHARS:
            raise forms.ValidationError(marks_too_long())
        try:
            return read_marks(text)
        except MarkError as error:
            raise forms.ValidationError(mark_error_text(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the JSON text differs from that with which the page was made."""
        return str(initial or "") != str(data or "")

"""The field of a form that holds the landmarks of an eye's photographs as JSON."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from screening.policy.landmarks import LandmarksError, read_landmarks


class LandmarksField(forms.CharField):
    """Landmarks by photograph, or an error that states what to do."""

    def to_python(self, value: Any) -> Any:
        """Landmarks by the id of their photograph. Raises ValidationError."""
        try:
            return read_landmarks(str(super().to_python(value) or ""))
        except LandmarksError as error:
            raise forms.ValidationError(
                _("Optic disc or fovea lies outside of its photograph. Open the ruler (C) and move it.")
            ) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the JSON text differs from that with which the page was made."""
        return str(initial or "") != str(data or "")

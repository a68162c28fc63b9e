"""Forms of the panel that store what the user changed and nothing else."""

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class ChangedFieldsForm(_ModelForm):
    """A record in which another person may change other fields while the page is open: they stay.

    The page sends each value that it was opened with too (``show_hidden_initial``).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        """The entries of a new record; of a stored one, its values where nothing was changed."""
        cleaned = super().clean() or {}
        if self.instance.created_at is None:
            return cleaned
        entered = {*self.changed_data, *(name for name in cleaned if self[name].html_initial_name not in self.data)}
        return {name: value if name in entered else getattr(self.instance, name) for name, value in cleaned.items()}

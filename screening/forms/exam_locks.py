"""Form of a take-over."""

from django import forms


class TakeOverForm(forms.Form):
    """``holder``: id of the reader whom the page named, so that no other person is taken over unknowingly."""

    holder = forms.UUIDField()

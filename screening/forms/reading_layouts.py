"""The arrangement of the reading page."""

from django import forms

from screening.models import ReadingLayout


class ReadingLayoutForm(forms.Form):
    """View, side panel and strip as the user chose them."""

    view = forms.ChoiceField(choices=ReadingLayout.View.choices)
    shows_panel = forms.BooleanField(required=False)
    shows_strip = forms.BooleanField(required=False)

"""Forms of bookings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.forms.patients import PatientSearchForm
from screening.forms.worklist import ANY
from screening.labels.bookings import STATUS_CHOICES
from screening.models import Booking
from screening.models.base import max_length


class BookingForm(forms.Form):
    """An appointment of a person."""

    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("This is no date. Write it as 2027-01-31.")},
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": _("This is no time. Write it as 09:30.")},
    )
    location = forms.CharField(
        label=_("Place"), required=False, max_length=max_length(Booking, "location"), help_text=_("Such as a room.")
    )


class BookingListForm(PatientSearchForm):
    """A search text, a day and a status; sent by POST so that no name is in an address or a server's log."""

    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[(ANY, _("All")), *STATUS_CHOICES])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["text", "day", "status"])

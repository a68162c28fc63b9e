"""Texts of bookings."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import choices
from screening.policy.bookings import BookingStatus

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATUS_LABELS: dict[BookingStatus, "_StrPromise"] = {
    BookingStatus.BOOKED: _("Booked"),
    BookingStatus.ATTENDED: _("Attended"),
    BookingStatus.DID_NOT_ATTEND: _("Did not attend"),
    BookingStatus.CANCELLED: pgettext_lazy("booking", "Cancelled"),
}
STATUS_CHOICES = choices(STATUS_LABELS)

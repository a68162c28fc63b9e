"""Bookings: appointments of people for screening, and what becomes of them."""

from enum import StrEnum


class BookingStatus(StrEnum):
    """What became of a booking."""

    BOOKED = "booked"
    ATTENDED = "attended"
    DID_NOT_ATTEND = "did_not_attend"
    CANCELLED = "cancelled"


CHANGES: dict[BookingStatus, tuple[BookingStatus, ...]] = {
    BookingStatus.BOOKED: (BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND, BookingStatus.CANCELLED),
    BookingStatus.DID_NOT_ATTEND: (BookingStatus.ATTENDED,),
    BookingStatus.ATTENDED: (),
    BookingStatus.CANCELLED: (),
}
"""What a person can record after each status. A cancelled appointment is booked again as a new one."""

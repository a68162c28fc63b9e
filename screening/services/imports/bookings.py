"""Rows of bookings: each is compared with the bookings of the person on that day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone
from import_export.resources import Resource

from screening.folding import clean_number
from screening.labels.imports import cell_problem, refused_cell
from screening.models import Booking, DataImport, Patient, StagedBooking, User
from screening.policy.bookings import CHANGES, BookingStatus
from screening.policy.imports import RowAction, RowState
from screening.services.bookings import BookingRefused, check_booking
from screening.services.imports.bookings_writing import is_outdated, lock_bookings, write_bookings
from screening.services.imports.cells import CodeCell, DayCell, FileReading, TextCell, TimeCell, cell_column
from screening.services.imports.people import values_of
from screening.spreadsheets.cells import Cell

DETAILS = ("time", "location", "status")
"""Columns of a booking that a file can change; person and day identify it."""
_MAX_MRN_CHARS = 100


class BookingColumns(Resource):  # type: ignore[misc]  # the package has no types
    """The columns of a file of bookings."""

    mrn = cell_column("mrn", TextCell())
    day = cell_column("day", DayCell())
    time = cell_column("time", TimeCell())
    location = cell_column("location", TextCell())
    status = cell_column("status", CodeCell(*(one.value for one in BookingStatus)))


@dataclass(slots=True)
class BookingDraft:
    """A row while it is checked."""

    line: int
    values: dict[str, Any]
    problems: list[list[Any]]
    mrn: str = ""
    person: UUID | None = None
    stored: Booking | None = None
    changes: list[str] = field(default_factory=list)

    @property
    def state(self) -> RowState:
        """What will happen with the row."""
        if self.problems:
            return RowState.REFUSED
        if self.stored is None:
            return RowState.NEW
        return RowState.CHANGED if self.changes else RowState.UNCHANGED

    @property
    def status(self) -> BookingStatus:
        """The status of the row; that of before, or booked, without one."""
        default = BookingStatus.BOOKED.value if self.stored is None else self.stored.status
        return BookingStatus(self.values.get("status", default))


_ACTIONS = {RowState.NEW: RowAction.ADD, RowState.CHANGED: RowAction.CHANGE}


class BookingRows:
    """The check of rows of bookings, and how they are written."""

    kind_columns: Any = BookingColumns
    needed: tuple[tuple[str, ...], ...] = (("mrn",), ("day",))
    date_columns: tuple[str, ...] = ("day",)
    staged: Any = StagedBooking
    identities: tuple[str, ...] = ("mrn", "location")

    def stage(
        self, data_import: DataImport, rows: Iterable[tuple[int, list[Cell]]], reading: FileReading
    ) -> list[BookingDraft]:
        """Check rows against the bookings of the site and the rows before. Nothing is stored."""
        columns = BookingColumns()
        drafts = [BookingDraft(line, *values_of(columns, data_import.columns, cells, reading)) for line, cells in rows]
        for draft in drafts:
            draft.mrn = clean_number(draft.values.get("mrn", ""))
        self._find_people(data_import, drafts)
        self._find_repeated(data_import, drafts)
        self._compare(data_import, drafts)
        return drafts

    def store(self, data_import: DataImport, drafts: list[BookingDraft]) -> Counter[RowState]:
        """Store checked rows, and return how many there are in each state."""
        StagedBooking.objects.bulk_create([_staged(data_import, draft) for draft in drafts])
        return Counter(draft.state for draft in drafts)

    def lock(self, data_import: DataImport) -> None:
        """Lock what the rows change until the end of the transaction."""
        lock_bookings(data_import)

    def is_outdated(self, data_import: DataImport) -> bool:
        """Whether a booking or a person of a row was changed since the check began."""
        return is_outdated(data_import)

    def write(self, data_import: DataImport, rows: Any, by: User) -> None:
        """Write the rows in the caller's transaction."""
        write_bookings(data_import, rows, by)

    def _find_people(self, data_import: DataImport, drafts: list[BookingDraft]) -> None:
        numbers = {draft.mrn for draft in drafts if draft.mrn}
        people = Patient.objects.filter(site=data_import.site, mrn__in=numbers).order_by()
        found = {mrn: (pk, merged) for mrn, pk, merged in people.values_list("mrn", "pk", "merged_into")}
        for draft in drafts:
            if draft.problems:
                continue
            if draft.mrn not in found:
                draft.problems.append(cell_problem("mrn", "unknown_person"))
            elif found[draft.mrn][1] is not None:
                draft.problems.append(cell_problem("mrn", "merged"))
            elif "day" not in draft.values:
                draft.problems.append(cell_problem("day", "no_day"))
            else:
                draft.person = found[draft.mrn][0]

    def _find_repeated(self, data_import: DataImport, drafts: list[BookingDraft]) -> None:
        """Refuse a second row of a person and a day."""
        staged = StagedBooking.objects.filter(data_import=data_import, mrn__in=[draft.mrn for draft in drafts])
        rows = staged.exclude(state=RowState.REFUSED).order_by("-line").values_list("mrn", "day", "line")
        lines = {(mrn, day): line for mrn, day, line in rows}
        for draft in drafts:
            if draft.problems:
                continue
            key = (draft.mrn, draft.values["day"])
            if key in lines:
                draft.problems.append(cell_problem("day", "repeated_booking", lines[key]))
            lines.setdefault(key, draft.line)

    def _compare(self, data_import: DataImport, drafts: list[BookingDraft]) -> None:
        drafts = [draft for draft in drafts if not draft.problems]
        days = {draft.values["day"] for draft in drafts}
        stored: dict[Any, Booking] = {}
        rows = Booking.objects.filter(patient__in=[draft.person for draft in drafts], day__in=days)
        for booking in rows.order_by("created_at"):
            key = (booking.patient_id, booking.day)
            if key not in stored or stored[key].status == BookingStatus.CANCELLED:
                stored[key] = booking
        today = timezone.localdate(timezone=data_import.site.zone)
        for draft in drafts:
            found = stored.get((draft.person, draft.values["day"]))
            is_ended = found is not None and found.status == BookingStatus.CANCELLED
            is_again = is_ended and draft.values.get("status", "booked") != BookingStatus.CANCELLED
            draft.stored = None if is_again else found
            _check(data_import, draft, today)


def _check(data_import: DataImport, draft: BookingDraft, today: Any) -> None:
    """Refuse what the pages would refuse, and find what changes."""
    values, stored = draft.values, draft.stored
    if values.get("status", "booked") not in list(BookingStatus):
        draft.problems.append(cell_problem("status", "no_status"))
        return
    is_over = draft.status in {BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND}
    if is_over and values["day"] > today:
        draft.problems.append(cell_problem("status", "not_yet"))
        return
    day = today if is_over or stored is not None or draft.status is BookingStatus.CANCELLED else values["day"]
    try:
        check_booking(site=data_import.site, day=day, location=values.get("location", ""))
    except BookingRefused as error:
        draft.problems.append(refused_cell(error.field, error.code, error.values))
        return
    if stored is None:
        return
    draft.changes = [name for name in DETAILS if name in values and values[name] != getattr(stored, name)]
    if "status" in draft.changes and draft.status not in CHANGES[BookingStatus(stored.status)]:
        draft.problems.append(cell_problem("status", "no_change"))


def _staged(data_import: DataImport, draft: BookingDraft) -> StagedBooking:
    row = StagedBooking(
        data_import=data_import,
        line=draft.line,
        state=draft.state.value,
        action=_ACTIONS.get(draft.state, RowAction.NONE).value,
        mrn=draft.mrn[:_MAX_MRN_CHARS],
        problems=draft.problems,
        changes=draft.changes,
    )
    if not draft.problems:
        stored = draft.stored
        row.person, row.day, row.status = draft.person, draft.values["day"], draft.status.value
        row.time = draft.values.get("time", None if stored is None else stored.time)
        row.location = draft.values.get("location", "" if stored is None else stored.location)
        is_new_status = stored is None or "status" in draft.changes
        row.is_missed = is_new_status and draft.status is BookingStatus.DID_NOT_ATTEND
        if stored is not None:
            row.target = stored.pk
    row.subject = str(row.target)
    return row

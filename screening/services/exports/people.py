"""Columns of people: patients, the due list, the register, contacts."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.access import Action, require
from screening.labels.recall import STATE_LABELS
from screening.models import ContactAttempt, Patient, RegisterEntry, Site, User
from screening.policy.recall import RecallState
from screening.selectors import search_patients
from screening.selectors.bookings import BookingFilters, list_bookings
from screening.selectors.due_list import DueFilters, due_list
from screening.selectors.messages import MessageFilters, list_messages
from screening.selectors.register import with_newest_entry
from screening.services.exports.columns import ListColumns, birth_of, column, day_of, moment_of
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.writing import FileFormat


class _Person(ListColumns):
    mrn = column(_("Medical record number"), "mrn")
    family_name = column(_("Family name"), "family_name")
    given_name = column(_("Given name"), "given_name")
    born_on = column(_("Birth date"), birth_of)
    estimated_age = column(_("Estimated age"), "estimated_age")


class PatientColumns(_Person):
    """All patients of the user's sites, or those that a search found."""

    sex = column(_("Sex"), lambda one: one.get_sex_display())
    diabetes_type = column(_("Diabetes type"), lambda one: one.get_diabetes_type_display())
    diabetes_since = column(_("Diabetes since (year)"), "diabetes_since_year")
    phone = column(_("Telephone number"), "phone")
    postal_address = column(_("Postal address"), "postal_address")
    doctor_address = column(_("Name and address of the doctor"), "doctor_address")
    n_exams = column(_("Exams"), "n_exams")
    last_exam = column(_("Last exam"), lambda one: day_of(one.last_exam_at, one.site))
    site = column(_("Site"), "site__name")


class DueColumns(_Person):
    """The due list of a site."""

    phone = column(_("Telephone number"), "phone")
    postal_address = column(_("Postal address"), "postal_address")
    due_on = column(pgettext_lazy("date", "Due"), "due_on")
    screened_on = column(_("Last screened"), "screened_on")
    state = column(_("Status"), lambda one: STATE_LABELS[RecallState(one.state)])
    until = column(_("Last day of the status"), "register_until")
    step = column(_("Next step"), lambda one: one.get_next_step_display())
    step_on = column(_("Next step from"), "next_step_on")


class RegisterColumns(_Person):
    """The register of a site, with the newest entry of each person."""

    sex = column(_("Sex"), lambda one: one.get_sex_display())
    diabetes_type = column(_("Diabetes type"), lambda one: one.get_diabetes_type_display())
    diabetes_since = column(_("Diabetes since (year)"), "diabetes_since_year")
    phone = column(_("Telephone number"), "phone")
    postal_address = column(_("Postal address"), "postal_address")
    registered = column(_("Registered on"), lambda one: day_of(one.created_at, one.site))
    status = column(_("Status in the register"), lambda one: one.get_register_status_display())
    reason = column(_("Reason"), lambda one: _REASONS.get(one.entry_reason, ""))
    from_on = column(pgettext_lazy("day", "From"), "entry_from_on")
    until = column(_("Last day of the status"), "register_until")
    note = column(_("Note"), "entry_note")


class ContactColumns(ListColumns):
    """Contacts with the people of a list, newest first."""

    mrn = column(_("Medical record number"), "patient__mrn")
    family_name = column(_("Family name"), "patient__family_name")
    given_name = column(_("Given name"), "patient__given_name")
    on = column(_("Day"), "on")
    kind = column(_("Contact"), lambda one: one.get_kind_display())
    channel = column(_("Channel"), lambda one: one.get_channel_display())
    result = column(_("Result"), lambda one: one.get_result_display())
    note = column(_("Note"), "note")
    recorded_by = column(
        _("Recorded by"), lambda one: one.recorded_by.get_username() if one.recorded_by is not None else ""
    )


class BookingColumns(ListColumns):
    """Bookings of a site."""

    mrn = column(_("Medical record number"), "patient__mrn")
    family_name = column(_("Family name"), "patient__family_name")
    given_name = column(_("Given name"), "patient__given_name")
    born_on = column(_("Birth date"), lambda one: birth_of(one.patient))
    phone = column(_("Telephone number"), "patient__phone")
    day = column(_("Day"), "day")
    time = column(_("Time"), "time")
    location = column(_("Place"), "location")
    status = column(_("Status"), lambda one: one.get_status_display())


class MessageColumns(ListColumns):
    """Messages of a site, without their texts."""

    mrn = column(_("Medical record number"), "patient__mrn")
    family_name = column(_("Family name"), "patient__family_name")
    given_name = column(_("Given name"), "patient__given_name")
    queued = column(_("Queued"), lambda one: moment_of(one.created_at, one.site))
    kind = column(_("Message"), lambda one: one.get_kind_display())
    channel = column(_("How"), lambda one: one.get_channel_display())
    state = column(_("State"), lambda one: one.get_state_display())
    reason = column(_("Reason"), lambda one: one.get_reason_display())
    sent = column(pgettext_lazy("time", "Sent"), lambda one: moment_of(one.sent_at, one.site))
    queued_by = column(_("By"), lambda one: one.queued_by.get_username() if one.queued_by is not None else "")


_REASONS: dict[str, Any] = dict(RegisterEntry._meta.get_field("reason").flatchoices)


def export_patients(*, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """All patients of the user's sites, or those that ``text`` finds. Raises AccessDenied, ExportRefused."""
    require(by, Action.VIEW_PATIENT)
    rows = search_patients(user=by, text=text)
    return export_rows(
        code="patients",
        columns=PatientColumns(),
        rows=rows,
        file_format=file_format,
        site=None,
        filters={},
        is_search=bool(text.strip()),
        by=by,
    )


def export_due_list(*, site: Site, filters: DueFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """The people of the due list. Raises AccessDenied, ExportRefused."""
    return _of_due_list("due-list", DueColumns(), site, filters, text, file_format, by)


def export_register(*, site: Site, filters: DueFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """The people of the due list with their status in the register. Raises AccessDenied, ExportRefused."""
    return _of_due_list("register", RegisterColumns(), site, filters, text, file_format, by)


def export_contacts(*, site: Site, filters: DueFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """Contacts with the people of the due list. Raises AccessDenied, ExportRefused."""
    return _of_due_list("contacts", ContactColumns(), site, filters, text, file_format, by)


def export_bookings(*, site: Site, filters: BookingFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """The bookings of a site. Raises AccessDenied, ExportRefused."""
    require(by, Action.MANAGE_REGISTER, site)
    return export_rows(
        code="bookings",
        columns=BookingColumns(),
        rows=list_bookings(user=by, site=site, filters=filters, text=text),
        file_format=file_format,
        site=site,
        filters={"day": filters.day, "status": filters.status},
        is_search=bool(text.strip()),
        by=by,
    )


def export_messages(*, site: Site, filters: MessageFilters, file_format: FileFormat, by: User) -> ExportFile:
    """The messages of the log of a site. Raises AccessDenied, ExportRefused."""
    require(by, Action.MANAGE_REGISTER, site)
    return export_rows(
        code="messages",
        columns=MessageColumns(),
        rows=list_messages(user=by, site=site, filters=filters),
        file_format=file_format,
        site=site,
        filters={
            "state": filters.state,
            "kind": filters.kind,
            "channel": filters.channel,
            "reason": filters.reason,
        },
        by=by,
    )


def _of_due_list(
    code: str,
    columns: ListColumns,
    site: Site,
    filters: DueFilters,
    text: str,
    file_format: FileFormat,
    by: User,
) -> ExportFile:
    require(by, Action.MANAGE_REGISTER, site)
    people: Any = due_list(user=by, site=site, filters=filters, text=text)
    rows = _contacts(people) if code == "contacts" else with_newest_entry(people) if code == "register" else people
    chosen = {
        "state": filters.state,
        "step": filters.step,
        "due_by": filters.due_by,
        "never": filters.is_never_screened,
    }
    return export_rows(
        code=code,
        columns=columns,
        rows=rows,
        file_format=file_format,
        site=site,
        filters=chosen,
        is_search=bool(text.strip()),
        by=by,
    )


def _contacts(people: Any) -> Any:
    ids = Patient.objects.filter(pk__in=people.order_by().values("pk"))
    return ContactAttempt.objects.filter(patient__in=ids).select_related("patient", "recorded_by")

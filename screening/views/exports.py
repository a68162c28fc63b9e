"""Exports of lists as CSV or XLSX, with the filters and the search text that the page of the list has."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from screening.access import Action, can, require, sites_for
from screening.forms.exports import ExportForm
from screening.selectors import WorklistState
from screening.selectors.teaching import get_teaching_set
from screening.services.exports import audit, dashboards, exams, people, repeats, teaching
from screening.services.exports.files import ExportFile, ExportRefused
from screening.spreadsheets.writing import FileFormat
from screening.views.audit import read_filters as read_audit_filters
from screening.views.audit import site_to_audit
from screening.views.bookings import read_filters as read_booking_filters
from screening.views.dashboards import find_table, read_period, scope_of
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.due_list_filters import read_filters as read_due_filters
from screening.views.message_log import read_filters as read_message_filters
from screening.views.parameters import InvalidParameter, require_parameters
from screening.views.referrals import read_filters as read_referral_filters
from screening.views.results import read_filters as read_result_filters
from screening.views.worklist import filters_for_reader
from screening.views.worklist_filters import read_filters as read_worklist_filters

Make = Callable[[FileFormat, str], ExportFile]


@login_required
@require_POST
def patient_export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The patients of the list."""
    require(request.user, Action.VIEW_PATIENT)
    return _export(
        request,
        lambda file_format, text: people.export_patients(text=text, file_format=file_format, by=request.user),
        back="screening:patient-list",
    )


@login_required
@require_POST
def site_due_list_export(request: AuthenticatedRequest, site_id: UUID, code: str) -> HttpResponseBase:
    """The due list, the register of its people, or the contacts with them."""
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    filters = read_due_filters(request.POST)
    export = _OF_DUE_LIST[code]
    return _export(
        request,
        lambda file_format, text: export(
            site=site, filters=filters, text=text, file_format=file_format, by=request.user
        ),
        back="screening:due-list",
    )


@login_required
@require_POST
def site_booking_export(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The bookings of the list."""
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    filters = read_booking_filters(request.POST, site)
    return _export(
        request,
        lambda file_format, text: people.export_bookings(
            site=site, filters=filters, text=text, file_format=file_format, by=request.user
        ),
        back="screening:bookings",
    )


@login_required
@require_POST
def site_message_export(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The messages of the log."""
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    filters = read_message_filters(request.POST)
    return _export(
        request,
        lambda file_format, _text: people.export_messages(
            site=site, filters=filters, file_format=file_format, by=request.user
        ),
        back="screening:due-list",
    )


@login_required
@require_POST
def site_repeat_export(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The exams of a site that were read again."""
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    return _export(
        request,
        lambda file_format, _text: repeats.export_repeats(site=site, file_format=file_format, by=request.user),
        back="screening:worklist",
    )


@login_required
@require_POST
def site_audit_export(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The events of the audit page."""
    site = site_to_audit(request, site_id)
    filters = read_audit_filters(request.POST, site, request.user)
    return _export(
        request,
        lambda file_format, _text: audit.export_audit(
            site=site, filters=filters, file_format=file_format, by=request.user
        ),
        back="screening:audit",
    )


@login_required
@require_POST
def dashboard_export(request: AuthenticatedRequest, table_code: str, site_id: UUID | None = None) -> HttpResponseBase:
    """A table of the dashboard of a site, or of all sites of the user."""
    scope = scope_of(request.user, site_id, request.POST)
    period = read_period(request.POST, scope)
    table = find_table(scope, period, table_code)
    return _export(
        request,
        lambda file_format, _text: dashboards.export_table(
            table=table, site=scope.site, period=period, file_format=file_format, by=request.user
        ),
        back="screening:dashboard",
    )


@login_required
@require_POST
def worklist_export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The exams of the worklist."""
    require(request.user, Action.VIEW_PATIENT)
    may_review = can(request.user, Action.REVIEW_EXAM)
    default = WorklistState.WAITING if may_review else WorklistState.OPEN
    requested = read_worklist_filters(request.POST, sites=sites_for(request.user), default=default)
    filters = filters_for_reader(request.user, requested)
    return _export(
        request,
        lambda file_format, text: exams.export_worklist(
            filters=filters, text=text, file_format=file_format, by=request.user
        ),
        back="screening:worklist",
    )


@login_required
@require_POST
def referral_export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The referrals of the list."""
    require(request.user, Action.VIEW_PATIENT)
    filters = read_referral_filters(request.POST, list(sites_for(request.user)))
    return _export(
        request,
        lambda file_format, text: exams.export_referrals(
            filters=filters, text=text, file_format=file_format, by=request.user
        ),
        back="screening:referrals",
    )


@login_required
@require_POST
def result_export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The signed results of the list."""
    require(request.user, Action.VIEW_PATIENT)
    filters = read_result_filters(request.POST, list(sites_for(request.user)))
    return _export(
        request,
        lambda file_format, _text: exams.export_results(filters=filters, file_format=file_format, by=request.user),
        back="screening:results",
    )


@login_required
@require_POST
def teaching_sets_export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The teaching sets of the list."""
    return _export(
        request,
        lambda file_format, _text: teaching.export_teaching_sets(file_format=file_format, by=request.user),
        back="screening:teaching-sets",
    )


@login_required
@require_POST
def teaching_set_export(request: AuthenticatedRequest, set_id: UUID) -> HttpResponseBase:
    """The certificates of a teaching set."""
    found = get_teaching_set(user=request.user, set_id=set_id)
    return _export(
        request,
        lambda file_format, _text: teaching.export_certificates(
            teaching_set=found, file_format=file_format, by=request.user
        ),
        back="screening:teaching-sets",
    )


_OF_DUE_LIST = {
    "due-list": people.export_due_list,
    "register": people.export_register,
    "contacts": people.export_contacts,
}


def _export(request: AuthenticatedRequest, make: Make, *, back: str) -> HttpResponseBase:
    """The file, or the page ``back`` with why there is none."""
    require_parameters(request, known=())
    form = ExportForm(request.POST)
    if not form.is_valid():
        raise InvalidParameter(_("“format” is csv or xlsx."))
    try:
        file = make(FileFormat(form.cleaned_data["format"]), form.cleaned_data["text"])
    except ExportRefused as error:
        messages.error(request, str(error))
        return redirect(back)
    return file_response(file)


def file_response(file: ExportFile) -> HttpResponseBase:
    """The file as a download that no cache keeps."""
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": "private, no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(file.chunks, content_type=file.content_type, headers=headers)

"""Bookings: who comes on a day, and the appointments of a person."""

import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from screening.access import Action, require, sites_for
from screening.forms.bookings import BookingForm, BookingListForm
from screening.forms.worklist import ANY
from screening.labels.bookings import STATUS_LABELS
from screening.models import AuditEvent, Site
from screening.policy.bookings import CHANGES, BookingStatus
from screening.selectors import get_patient
from screening.selectors.bookings import BookingFilters, bookings_of_patient, get_booking, list_bookings
from screening.services.audit import record_event
from screening.services.bookings import BookingRefused, book, change_booking
from screening.views.decorators import AuthenticatedRequest, login_required, searches_by_post
from screening.views.parameters import InvalidParameter, page_number, require_parameters, value_of

PER_PAGE = 50
MAX_FOUND = 50
"""A search shows one page only: the address of a second page would contain the search text."""
PARAMETERS = ("day", "status")
EVERY_DAY = "all"


@login_required
@require_safe
def booking_sites(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites of the user, or the list of the only one."""
    require_parameters(request, known=())
    require(request.user, Action.MANAGE_REGISTER)
    sites = sites_for(request.user, Action.MANAGE_REGISTER).order_by("name", "pk")
    first_two = list(sites[:2])
    if len(first_two) == 1:
        return redirect("screening:site-bookings", first_two[0].pk)
    return render(request, "screening/bookings/sites.html", {"section": "patients", "sites": sites})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def site_bookings(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Who comes on a day (today, without one): the filters of the address (GET), or of the form (POST)."""
    require_parameters(request, known={*PARAMETERS, "page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    filters = read_filters(request.POST if request.method == "POST" else request.GET, site)
    query = query_of(filters)
    form = BookingListForm(request.POST or None, initial={"day": filters.day, "status": filters.status})
    if form.is_valid() and not form.cleaned_data["text"].strip():
        return redirect(f"{reverse('screening:site-bookings', args=[site.pk])}?{query}")
    text = form.cleaned_data["text"] if form.is_valid() else ""
    found = list_bookings(user=request.user, site=site, filters=filters, text=text)
    page = Paginator(found, PER_PAGE).get_page(1 if text else page_number(request))
    data: dict[str, str | float | bool | None] = {"route": "screening:site-bookings", "n_found": len(page.object_list)}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=data, by=request.user)
    today = timezone.localdate(timezone=site.zone)
    context = {
        "section": "patients",
        "site": site,
        "form": form,
        "page": page,
        "is_search": bool(text),
        "is_cut": bool(text) and page.paginator.num_pages > 1,
        "rows": [(one, _changes(one.status), one.day == today) for one in page.object_list],
        "query": query,
        "export_filters": dict(parse_qsl(query)),
        "export_text": text,
        "shown_day": filters.day,
        "is_today": filters.day == today,
        "days": _days(filters.day),
    }
    return render(request, "screening/bookings/list.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_bookings(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """The appointments of a person (GET); book one (POST)."""
    require_parameters(request, known={"page"})
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.MANAGE_REGISTER, patient.site)
    form = BookingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            book(patient=patient, **form.cleaned_data, by=request.user)
        except BookingRefused as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, _("The appointment is booked."))
            return redirect("screening:patient-bookings", patient.pk)
    if request.method != "POST":
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    page = Paginator(bookings_of_patient(user=request.user, patient=patient), PER_PAGE).get_page(page_number(request))
    context = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "page": page,
        "rows": [(one, _changes(one.status)) for one in page.object_list],
    }
    return render(request, "screening/bookings/patient.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def booking_status(request: AuthenticatedRequest, booking_id: UUID) -> HttpResponseBase:
    """Record what became of a booking."""
    booking = get_booking(user=request.user, booking_id=booking_id)
    require(request.user, Action.MANAGE_REGISTER, booking.site)
    status = BookingStatus(value_of(request.POST, "status", values=list(BookingStatus), default=""))
    try:
        change_booking(booking=booking, status=status, by=request.user)
    except BookingRefused as error:
        messages.error(request, str(error))
    if request.POST.get("back") == "patient":
        return redirect("screening:patient-bookings", booking.patient_id)
    return redirect(f"{reverse('screening:site-bookings', args=[booking.site_id])}?day={booking.day}")


def read_filters(data: QueryDict, site: Site) -> BookingFilters:
    """The filters of an address or a form; today without a day. Raises InvalidParameter."""
    status = value_of(data, "status", values=[ANY, *BookingStatus], default=ANY)
    text = data.get("day", str(timezone.localdate(timezone=site.zone)))
    try:
        day = None if text in {"", EVERY_DAY} else datetime.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter(_("“%(name)s” is a date, such as 2027-01-31.") % {"name": "day"}) from error
    return BookingFilters(day=day, status=None if status == ANY else BookingStatus(status))


def query_of(filters: BookingFilters) -> str:
    """The query string of the filters."""
    values = {"day": filters.day or EVERY_DAY, "status": filters.status}
    return urlencode({name: str(value) for name, value in values.items() if value is not None})


def _changes(status: str) -> list[tuple[str, Any]]:
    return [(one.value, STATUS_LABELS[one]) for one in CHANGES[BookingStatus(status)]]


def _days(day: datetime.date | None) -> tuple[datetime.date, datetime.date] | None:
    """The days before and after."""
    if day is None or not 1900 < day.year < 2900:
        return None
    return day - datetime.timedelta(days=1), day + datetime.timedelta(days=1)

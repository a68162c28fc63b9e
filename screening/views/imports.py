"""Imports: send a file, see what would happen with each row, decide, see the result."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from screening.access import Action, require, sites_for
from screening.forms.exports import ExportForm
from screening.forms.imports import AnswerForm, ApplyForm, DateOrderForm, ImportFileForm
from screening.labels.imports import (
    COLUMN_LABELS,
    DATE_ORDER_LABELS,
    KIND_LABELS,
    ROW_LABELS,
    STATE_LABELS,
    problem_text,
)
from screening.models import AuditEvent, DataImport
from screening.models.imports import COUNT_FIELDS
from screening.policy.imports import (
    CANCELLABLE_STATES,
    WORKING_STATES,
    DateOrder,
    ImportKind,
    ImportState,
    RowAnswer,
    RowState,
)
from screening.selectors.imports import get_import, list_imports, rows_in_state
from screening.services.audit import record_event
from screening.services.imports import jobs
from screening.services.imports.kinds import column_names, staged_rows
from screening.services.imports.reading import MAX_ROWS
from screening.services.imports.reports import export_report
from screening.spreadsheets.refusals import FileRefused
from screening.spreadsheets.writing import FileFormat
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.exports import file_response
from screening.views.parameters import InvalidParameter, page_number, require_parameters, value_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PER_PAGE = 50
SECTION = "patients"
ALL_ROWS = "all"


@dataclass(frozen=True, slots=True)
class RowTab:
    """A link to the rows in a state, with their number."""

    code: str
    label: "_StrPromise | str"
    n: int
    is_chosen: bool


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_imports(request: AuthenticatedRequest, site_id: UUID, kind: str) -> HttpResponseBase:
    """The form for a file with the imports of before (GET), or the begin of an import (POST)."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    form = ImportFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            begun = jobs.begin_import(site=site, kind=ImportKind(kind), file=form.cleaned_data["file"], by=request.user)
        except FileRefused as refusal:
            form.add_error("file", problem_text(refusal.problem, refusal.values))
        except jobs.ImportActive as error:
            messages.error(request, str(error))
            return redirect("screening:import", error.active.pk)
        else:
            return redirect("screening:import", begun.pk)
    page = Paginator(list_imports(user=request.user, site=site), PER_PAGE).get_page(page_number(request))
    context = {
        "section": SECTION,
        "site": site,
        "kind": kind,
        "kind_label": KIND_LABELS[ImportKind(kind)],
        "form": form,
        "columns": [(name, COLUMN_LABELS[name]) for name in column_names(ImportKind(kind))],
        "n_max_rows": MAX_ROWS,
        "max_rows": number_format(MAX_ROWS, force_grouping=True),
        "max_mib": jobs.MAX_FILE_BYTES // 1024 // 1024,
        "page": page,
        "imports": [(one, STATE_LABELS[ImportState(one.state)]) for one in page.object_list],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "screening/imports/begin.html", context, status=status)


@login_required
@require_safe
def import_detail(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """How far an import is, and what would happen with its rows."""
    require_parameters(request, known={"rows", "page"})
    data_import = _get(request, import_id)
    shown = value_of(request.GET, "rows", values=[ALL_ROWS, *RowState], default=_first_state(data_import))
    rows = rows_in_state(staged_rows(data_import), None if shown == ALL_ROWS else shown)
    page = Paginator(rows, PER_PAGE).get_page(page_number(request))
    if page.object_list:
        data: dict[str, str | float | bool | None] = {"n_found": len(page.object_list)}
        verb = AuditEvent.Verb.IMPORT_VIEWED
        record_event(verb=verb, subject=data_import, site=data_import.site, data=data, by=request.user)
    context = {
        **_progress(data_import),
        "section": SECTION,
        "page": page,
        "tabs": _tabs(data_import, shown),
        "shown": shown,
        "rows": [(row, ROW_LABELS[RowState(row.state)], _named_changes(row)) for row in page.object_list],
        "is_question": shown == RowState.QUESTION,
        "date_form": DateOrderForm(),
        "has_notes": bool(data_import.date_order or data_import.notes.get("sheet"))
        or data_import.notes.get("encoding") == "cp1252",
        "n_left_out": jobs.count_left_out(data_import) if data_import.state == ImportState.CHECKED else 0,
        "accept": RowAnswer.ACCEPT.value,
        "leave_out": RowAnswer.LEAVE_OUT.value,
    }
    return render(request, "screening/imports/detail.html", context)


@login_required
@require_safe
def import_status(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """How far an import is, as a fragment of its page, which is loaded again once the work ends."""
    require_parameters(request, known=())
    context = _progress(_get(request, import_id))
    if request.htmx and not context["is_working"]:
        return HttpResponseClientRefresh()
    return render(request, "screening/imports/_progress.html", context)


@login_required
@require_POST
def import_date_order(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """Answer what comes first in the dates of the file."""
    data_import, form = _get(request, import_id), DateOrderForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how the dates are written."))
        return redirect("screening:import", import_id)
    order = DateOrder(form.cleaned_data["order"])
    return _act(
        request, data_import, lambda: jobs.answer_date_order(data_import=data_import, order=order, by=request.user)
    )


@login_required
@require_POST
def import_answers(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """Decide about rows with a question."""
    data_import = _get(request, import_id)
    rows = staged_rows(data_import).filter(state=RowState.QUESTION, line__in=_numbers(request.POST.getlist("lines")))
    form = AnswerForm(request.POST, lines=list(rows.values_list("line", flat=True)))
    if not form.is_valid():
        messages.error(request, _("Choose rows and what to do with them."))
        return redirect("screening:import", import_id)
    values = form.cleaned_data
    return _act(
        request,
        data_import,
        lambda: jobs.answer_rows(
            data_import=data_import, lines=values["lines"], answer=RowAnswer(values["answer"]), by=request.user
        ),
    )


@login_required
@require_POST
def import_apply(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """Write the rows."""
    data_import, form = _get(request, import_id), ApplyForm(request.POST)
    leaves_out = form.is_valid() and form.cleaned_data["leaves_out"]
    return _act(
        request,
        data_import,
        lambda: jobs.apply_import(data_import=data_import, leaves_out=leaves_out, by=request.user),
    )


@login_required
@require_POST
def import_cancel(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """End an import, and delete its data."""
    data_import = _get(request, import_id)
    return _act(request, data_import, lambda: jobs.cancel_import(data_import=data_import, by=request.user))


@login_required
@require_POST
def import_report(request: AuthenticatedRequest, import_id: UUID) -> HttpResponseBase:
    """The rows that are left out, what is wrong and what to do, as a file."""
    data_import, form = _get(request, import_id), ExportForm(request.POST)
    if not form.is_valid():
        raise InvalidParameter(_("“format” is csv or xlsx."))
    file_format = FileFormat(form.cleaned_data["format"])
    return file_response(export_report(data_import=data_import, file_format=file_format, by=request.user))


def _get(request: AuthenticatedRequest, import_id: UUID) -> DataImport:
    """The import. Raises Http404, AccessDenied."""
    data_import = get_import(user=request.user, import_id=import_id)
    require(request.user, Action.MANAGE_REGISTER, data_import.site)
    return data_import


def _act(request: AuthenticatedRequest, data_import: DataImport, act: Any) -> HttpResponseBase:
    """Carry out an action, and show the import. A second click finds it done: it shows the import too."""
    try:
        act()
    except jobs.ImportNotPossible as error:
        messages.error(request, str(error))
    return redirect("screening:import", data_import.pk)


def _progress(data_import: DataImport) -> dict[str, Any]:
    state = ImportState(data_import.state)
    return {
        "data_import": data_import,
        "site": data_import.site,
        "kind_label": KIND_LABELS[ImportKind(data_import.kind)],
        "state_label": STATE_LABELS[state],
        "is_working": state in WORKING_STATES,
        "is_cancellable": state in CANCELLABLE_STATES,
        "problem": problem_text(data_import.problem, data_import.problem_values) if data_import.problem else "",
        "counts": [(ROW_LABELS[one], getattr(data_import, name)) for one, name in COUNT_FIELDS.items()],
        "date_order": DATE_ORDER_LABELS[DateOrder(data_import.date_order)] if data_import.date_order else "",
    }


def _first_state(data_import: DataImport) -> str:
    """The rows that are shown first: those that need a person."""
    for state in (RowState.QUESTION, RowState.REFUSED, RowState.CHANGED):
        if getattr(data_import, COUNT_FIELDS[state]):
            return state.value
    return ALL_ROWS


def _tabs(data_import: DataImport, shown: str) -> list[RowTab]:
    counts = [(state.value, ROW_LABELS[state], getattr(data_import, name)) for state, name in COUNT_FIELDS.items()]
    tabs: list[tuple[str, Any, int]] = [(ALL_ROWS, _("All rows"), data_import.n_checked), *counts]
    return [RowTab(code, label, n, code == shown) for code, label, n in tabs]


def _named_changes(row: Any) -> str:
    return ", ".join(str(COLUMN_LABELS[name]) for name in row.changes)


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 8]

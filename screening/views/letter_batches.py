"""Letters to the people of a list: preview, progress, files."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from screening.access import Action, require, sites_for
from screening.forms.documents import LetterBatchForm
from screening.labels.letters import BATCH_STATE_LABELS, REASON_LABELS
from screening.models import AuditEvent, Document, LetterBatch, Site
from screening.policy.letters import BatchState, LetterReason, LetterVariant
from screening.reports.engine import missing_libraries
from screening.reports.letter_batches import (
    PlannedLetters,
    plan_due_letters,
    plan_referral_letters,
    plan_result_letters,
)
from screening.reports.letters import OF_REVIEW, LetterRefused
from screening.selectors.documents import count_letters, get_letter_batch, list_letter_batches
from screening.services.audit import record_event
from screening.services.letter_batches import MAX_LETTERS, BatchRefused, begin_batch, cancel_batch
from screening.services.letter_files import make_files_again, open_batch
from screening.views import due_list_filters, referrals, results
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters, value_of

PER_PAGE = 25
_TYPES = {"pdf": "application/pdf", "zip": "application/zip"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_due_list_letters(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """How many people of the due list get a letter, and why others not (GET); make them (POST)."""
    require_parameters(request, known=due_list_filters.PARAMETERS)
    site = _site(request, site_id)
    filters = due_list_filters.read_filters(request.GET)
    query = due_list_filters.query_of(filters)
    planned = plan_due_letters(site=site, filters=filters, by=request.user)
    back = f"{reverse('screening:site-due-list', args=[site.pk])}?{query}"
    return _preview(request, site, planned, {"back": back, "back_label": _("Due list")})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def result_letters(request: AuthenticatedRequest, kind: str) -> HttpResponseBase:
    """The same for a list of signed results of one site, and one kind of letter."""
    require_parameters(request, known=results.PARAMETERS)
    if kind not in OF_REVIEW:
        raise Http404
    sites = list(sites_for(request.user, Action.MANAGE_REGISTER))
    require(request.user, Action.MANAGE_REGISTER)
    filters = results.read_filters(request.GET, sites)
    site = filters.site or (sites[0] if len(sites) == 1 else None)
    back = f"{reverse('screening:results')}?{urlencode(results.values_of(filters))}"
    if site is None:
        return _without_site(request, back)
    planned = plan_result_letters(filters=filters.of_site(site), kind=Document.Kind(kind), by=request.user)
    facts = {"back": back, "back_label": _("Signed results"), "kind_label": Document.Kind(kind).label}
    return _preview(request, site, planned, facts)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def referral_letters(request: AuthenticatedRequest) -> HttpResponseBase:
    """The same for the referrals of a list that are to be sent from one site."""
    require_parameters(request, known=referrals.PARAMETERS)
    require(request.user, Action.MANAGE_REGISTER)
    sites = list(sites_for(request.user, Action.MANAGE_REGISTER))
    filters = referrals.read_filters(request.GET, sites)
    site = filters.site or (sites[0] if len(sites) == 1 else None)
    back = f"{reverse('screening:referrals')}?{referrals.query_of(filters)}"
    if site is None:
        return _without_site(request, back)
    try:
        planned = plan_referral_letters(site=site, filters=filters, by=request.user)
    except LetterRefused as error:
        messages.error(request, str(error))
        return redirect(back)
    facts = {"back": back, "back_label": _("Referrals"), "kind_label": Document.Kind.REFERRAL_LETTER.label}
    return _preview(request, site, planned, facts)


def _without_site(request: AuthenticatedRequest, back: str) -> HttpResponseBase:
    messages.error(request, _("Choose a site first: letters have its letterhead."))
    return redirect(back)


def _preview(
    request: AuthenticatedRequest, site: Site, planned: PlannedLetters, facts: dict[str, Any]
) -> HttpResponseBase:
    form = LetterBatchForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = {"variant": LetterVariant(data["variant"]), "batch_id": data["batch"]}
        try:
            batch = begin_batch(site=site, letters=planned.rows, **values, by=request.user)
        except BatchRefused as error:
            form.add_error(None, str(error))
        else:
            return redirect("screening:letter-batch", batch.pk)
    seen: dict[str, str | float | bool | None] = {"n_found": len(planned.rows)}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=seen, by=request.user)
    context = {
        "section": "patients",
        "site": site,
        "form": form,
        "planned": planned,
        "reasons": [(REASON_LABELS[one], n) for one, n in planned.reasons.items()],
        "max_letters": MAX_LETTERS,
        "is_unavailable": bool(missing_libraries()),
        **facts,
    }
    return render(request, "screening/letters/preview.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def site_letter_batches(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Letters that were made at once at a site, newest first."""
    require_parameters(request, known={"page"})
    site = _site(request, site_id)
    page = Paginator(list_letter_batches(user=request.user, site=site), PER_PAGE).get_page(page_number(request))
    rows = [(one, BATCH_STATE_LABELS[BatchState(one.state)]) for one in page.object_list]
    context = {"section": "patients", "site": site, "page": page, "rows": rows}
    return render(request, "screening/letters/list.html", context)


@login_required
@require_safe
def letter_batch(request: AuthenticatedRequest, batch_id: UUID) -> HttpResponseBase:
    """How far letters are; their files once they are made."""
    require_parameters(request, known=())
    return render(request, "screening/letters/batch.html", _progress(_get(request, batch_id)))


@login_required
@require_safe
def letter_batch_status(request: AuthenticatedRequest, batch_id: UUID) -> HttpResponseBase:
    """How far letters are, as a fragment of their page, which is loaded again once the work ends."""
    require_parameters(request, known=())
    batch = _get(request, batch_id)
    if request.htmx and not batch.is_working:
        return HttpResponseClientRefresh()
    return render(request, "screening/letters/_progress.html", _progress(batch))


@login_required
@require_POST
def letter_batch_cancel(request: AuthenticatedRequest, batch_id: UUID) -> HttpResponseBase:
    """Cancel letters that are being made."""
    batch = _get(request, batch_id)
    try:
        cancel_batch(batch=batch, by=request.user)
    except BatchRefused as error:
        messages.error(request, str(error))
    return redirect("screening:letter-batch", batch.pk)


@login_required
@require_POST
def letter_batch_again(request: AuthenticatedRequest, batch_id: UUID) -> HttpResponseBase:
    """Make files again that were deleted after some days."""
    batch = _get(request, batch_id)
    try:
        make_files_again(batch=batch, by=request.user)
    except BatchRefused as error:
        messages.error(request, str(error))
    return redirect("screening:letter-batch", batch.pk)


@login_required
@require_safe
def letter_batch_file(request: AuthenticatedRequest, batch_id: UUID) -> HttpResponseBase:
    """One of the files, which is named by the id of the batch. Raises Http404 before they are made."""
    require_parameters(request, known={"format"})
    file_format = value_of(request.GET, "format", values=list(_TYPES), default="pdf")
    batch = _get(request, batch_id)
    try:
        content = open_batch(batch=batch, is_archive=file_format == "zip", by=request.user)
    except BatchRefused as error:
        raise Http404 from error
    name = f"{batch.pk}.{file_format}"
    response = FileResponse(content, content_type=_TYPES[file_format], as_attachment=True, filename=name)
    response["Cache-Control"] = "private, no-store"
    return response


def _progress(batch: LetterBatch) -> dict[str, Any]:
    counts = count_letters(batch)
    return {
        "section": "patients",
        "batch": batch,
        "site": batch.site,
        "state_label": BATCH_STATE_LABELS[BatchState(batch.state)],
        "n_made": counts.pop("", 0),
        "reasons": [(REASON_LABELS[reason], counts[reason]) for reason in LetterReason if reason in counts],
    }


def _site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    return site


def _get(request: AuthenticatedRequest, batch_id: UUID) -> LetterBatch:
    batch = get_letter_batch(user=request.user, batch_id=batch_id)
    require(request.user, Action.MANAGE_REGISTER, batch.site)
    return batch

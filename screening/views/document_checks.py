"""The public page of a document: whether it holds, and whether a file is the same. It shows no data of the patient."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from screening.forms.documents import FileToCompareForm
from screening.labels.documents import STANDING_LABELS
from screening.models import Document, User
from screening.selectors.documents import standing_of, with_has_newer
from screening.services.documents import compare_with_file
from screening.throttling import ComparisonThrottle
from screening.views.decorators import refuse_too_many


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def document_check(request: HttpRequest, document_id: UUID) -> HttpResponseBase:
    """For anyone who has the document, without a login: its id is random and printed on it."""
    if (refusal := refuse_too_many(request, ComparisonThrottle())) is not None:
        return refusal
    documents = with_has_newer(Document.objects.select_related("site", "exam", "review"))
    document = get_object_or_404(documents, pk=document_id)
    if document.status != Document.Status.DONE:
        raise Http404
    form = FileToCompareForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"document": document, "form": form, "standing": standing_of(document)}
    if request.method == "POST" and form.is_valid():
        user = request.user if isinstance(request.user, User) else None
        sha256 = form.cleaned_data["sha256"]
        context["is_same"] = compare_with_file(document=document, sha256=sha256, by=user)
        context["is_compared"] = True
    context["standing_text"] = STANDING_LABELS[context["standing"]]
    is_refused = request.method == "POST" and not form.is_valid()
    response = render(request, "screening/documents/check.html", context, status=422 if is_refused else 200)
    patch_cache_control(response, private=True, no_store=True)
    return response

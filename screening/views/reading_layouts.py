"""The arrangement of the reading page."""

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_POST

from screening.forms import error_text
from screening.forms.reading_layouts import ReadingLayoutForm
from screening.services.reading_layouts import save_reading_layout
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_POST
def reading_layout(request: AuthenticatedRequest) -> HttpResponseBase:
    """Remember the layout that the user chose: 204, or 400 with the error."""
    form = ReadingLayoutForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"message": error_text(form)}, status=400)
    save_reading_layout(**form.cleaned_data, by=request.user)
    return HttpResponse(status=204)

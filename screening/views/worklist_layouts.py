"""The arrangement of the worklist."""

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_POST

from screening.forms.worklist import WorklistLayoutForm
from screening.services.worklist_layouts import save_worklist_layout
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_POST
def worklist_layout(request: AuthenticatedRequest) -> HttpResponseBase:
    """Remember the layout that the user chose: 204."""
    form = WorklistLayoutForm(request.POST)
    form.full_clean()
    save_worklist_layout(is_dense=form.cleaned_data["is_dense"], by=request.user)
    return HttpResponse(status=204)

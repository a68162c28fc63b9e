"""Reports of browsers that print a page."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from screening.services.prints import record_print
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_POST
def page_printed(request: AuthenticatedRequest) -> HttpResponse:
    """Record that the page at ``path`` is printed. Without JavaScript no browser reports it."""
    record_print(path=request.POST.get("path", ""), by=request.user)
    return HttpResponse(status=204)

"""Error responses: 503 if a dependency is unavailable for a moment, else 500."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error as default_server_error

from screening.errors import is_transient
from screening.views.decorators import wants_json

RETRY_AFTER_S = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: 503 if the database or the storage is unavailable, else 500. No details are shown.

    Called while the exception is handled. It may come from a view or from a middleware that loads the user.
    """
    if not is_transient(sys.exc_info()[1]):
        return default_server_error(request)
    message = _("The system is temporarily unavailable. Nothing was changed. Try again in a few seconds.")
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse({"code": "busy", "message": message, "fields": {}}, status=503)
    elif wants_json(request):
        response = JsonResponse({"code": "busy", "message": message}, status=503)
    else:
        response = render(request, "503.html", status=503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    response["Cache-Control"] = "no-store"
    return response

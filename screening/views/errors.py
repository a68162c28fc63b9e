"""What a person or a program is told when a request could not be answered."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error as plain_server_error

from screening.errors import is_transient
from screening.views.decorators import wants_json

RETRY_AFTER_S = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: 503 "try again" if database or storage is unavailable, else 500. Neither tells details.

    Called while the exception is handled, wherever it was raised: in a view, or in a middleware that asked who it is.
    """
    if not is_transient(sys.exc_info()[1]):
        return plain_server_error(request)
    message = _("The system cannot be reached for a moment. Nothing was changed. Try again in some seconds.")
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"code": "busy", "message": message, "fields": {}}, status=503)
    elif wants_json(request):
        answer = JsonResponse({"code": "busy", "message": message}, status=503)
    else:
        answer = render(request, "503.html", status=503)
    answer["Retry-After"] = str(RETRY_AFTER_S)
    answer["Cache-Control"] = "no-store"
    return answer

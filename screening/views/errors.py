"""Error responses: 400 for an invalid request, 503 if a dependency is unavailable for a moment, else 500."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error as default_server_error

from screening.errors import is_storage_error, is_transient
from screening.labels.failures import STORAGE_MESSAGE, UNEXPECTED_MESSAGE
from screening.views.decorators import is_for_programs, wants_json
from screening.views.parameters import InvalidParameter

RETRY_AFTER_S = 10


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``: the page says which parameter is wrong. Other exceptions have no details."""
    message = str(exception) if isinstance(exception, InvalidParameter) else ""
    if wants_json(request):
        text = message or _("The request is not valid. Reload the page and try again.")
        return JsonResponse({"code": "invalid", "message": text}, status=400)
    return render(request, "400.html", {"message": message}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: 503 if the database or the storage is unavailable, else 500. No details are shown.

    Called while the exception is handled. It may come from a view or from a middleware that loads the user.
    """
    error = sys.exc_info()[1]
    if is_transient(error):
        return busy_response(request, is_storage=is_storage_error(error))
    if is_for_programs(request):
        body = {"code": "internal_error", "message": str(UNEXPECTED_MESSAGE), "fields": {}}
        return JsonResponse(body, status=500, headers={"Cache-Control": "no-store"})
    return default_server_error(request)


def busy_response(
    request: HttpRequest, *, is_storage: bool = False, retry_after_s: int = RETRY_AFTER_S
) -> HttpResponse:
    """503 in the format of the caller: the system is unavailable or overloaded, or only its storage."""
    code, message = "busy", _("The system is temporarily unavailable. Nothing was changed. Try again in a few seconds.")
    if is_storage:
        code, message = "storage_unavailable", str(STORAGE_MESSAGE)
    if is_for_programs(request):
        response: HttpResponse = JsonResponse({"code": code, "message": message, "fields": {}}, status=503)
    elif wants_json(request):
        response = JsonResponse({"code": code, "message": message}, status=503)
    else:
        response = render(request, "503.html", {"message": message if is_storage else ""}, status=503)
    response["Retry-After"] = str(retry_after_s)
    response["Cache-Control"] = "no-store"
    return response

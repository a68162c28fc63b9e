"""Every error as ``{"code", "message", "fields"}``: a word for programs, a sentence for people, what is wrong where."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ml.errors import BundleError, GradingError
from screening.errors import is_transient
from screening.photos.validation import InvalidPhoto
from screening.services.exams import ExamError, ExamNotOpen, EyeNotPhotographed
from screening.services.gradings import GradingNotFailed
from screening.services.patients import InvalidPatient

logger = logging.getLogger(__name__)
RETRY_AFTER_S = 5


class ApiError(Exception):
    """A request that cannot be served. ``details`` stand beside code, message and fields."""

    def __init__(
        self, status: int, code: str, message: str, fields: dict[str, str] | None = None, **details: str
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields, self.details = fields or {}, details
        self.headers: dict[str, str] = {}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every exception inside the API, foreseen or not, is answered in JSON without details."""
    api_error = _foreseen(error, context)
    if api_error is None:
        set_rollback()
        view = type(context.get("view")).__name__
        logger.error("Unforeseen error in the API, %s", view, exc_info=error)
        message = _("Something went wrong on our side. Try again; if it happens again, tell your administrator.")
        api_error = ApiError(500, "internal_error", message)
    body = {"code": api_error.code, "message": api_error.message, "fields": api_error.fields, **api_error.details}
    return Response(body, status=api_error.status, headers=api_error.headers)


def not_found() -> ApiError:
    """What is not there and what is another site's look alike."""
    return ApiError(404, "not_found", _("There is no such record, or it belongs to a site where you have no role."))


def _foreseen(error: Exception, context: dict[str, Any]) -> ApiError | None:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        return not_found()
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error, context)
    return _of_services(error) or _of_django(error)


def _of_services(error: Exception) -> ApiError | None:
    message = str(error)
    if isinstance(error, InvalidPhoto):
        return ApiError(400, error.code, message, {"photo": message})
    if isinstance(error, GradingError):
        return ApiError(400, "unreadable", message, {"photo": message})
    if isinstance(error, InvalidPatient):
        return ApiError(400, "invalid", message, {error.field: message})
    if isinstance(error, ExamError | GradingNotFailed):
        return ApiError(409, _CONFLICTS.get(type(error), "exam_conflict"), message)
    return None


_CONFLICTS: dict[type[Exception], str] = {
    ExamNotOpen: "exam_not_open",
    EyeNotPhotographed: "eye_not_photographed",
    GradingNotFailed: "grading_not_failed",
}


def _of_django(error: Exception) -> ApiError | None:
    if isinstance(error, PermissionDenied):
        return ApiError(403, "forbidden", str(error) or _("You may not do this."))
    if isinstance(error, RequestDataTooBig):
        return ApiError(413, "request_too_large", _("The request is too large. Send less at once."))
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return ApiError(400, "bad_request", _("The request could not be read. Send it again."))
    if isinstance(error, BundleError) or is_transient(error):
        logger.error("The API cannot answer for now", exc_info=error)
        code = "model_unavailable" if isinstance(error, BundleError) else "busy"
        api_error = ApiError(503, code, _("This cannot be answered just now. Try again in some seconds."))
        api_error.headers["Retry-After"] = str(RETRY_AFTER_S)
        return api_error
    return None


_CODES = {"permission_denied": "forbidden", "parse_error": "bad_request", "error": "internal_error"}


def _of_rest_framework(error: exceptions.APIException, context: dict[str, Any]) -> ApiError:
    if isinstance(error, exceptions.ValidationError):
        fields = _flat(error.detail)
        return ApiError(400, "invalid", _summary(fields), fields)
    code = str(_CODES.get(error.default_code, error.default_code))
    if isinstance(error, exceptions.AuthenticationFailed) and isinstance(error.detail, exceptions.ErrorDetail):
        code = str(error.detail.code)
    api_error = ApiError(error.status_code, code, _message(error, context))
    if (header := getattr(error, "auth_header", None)) is not None:
        api_error.headers["WWW-Authenticate"] = header
    if (wait := getattr(error, "wait", None)) is not None:
        api_error.headers["Retry-After"] = str(int(wait) + 1)
    return api_error


def _message(error: exceptions.APIException, context: dict[str, Any]) -> str:
    accepted = ", ".join(parser.media_type for parser in getattr(context.get("view"), "parser_classes", ()))
    texts: dict[type[exceptions.APIException], str] = {
        exceptions.NotAuthenticated: _("Send your API key in the header “Authorization: Bearer drk_...”."),
        exceptions.MethodNotAllowed: _("This address does not answer this method. See the header “Allow”."),
        exceptions.UnsupportedMediaType: _("This cannot be read in this form. Send it as %(accepted)s.")
        % {"accepted": accepted},
        exceptions.NotAcceptable: _("Answers are JSON. Accept application/json."),
        exceptions.ParseError: _("The body could not be read. Check how it is written and its Content-Type."),
        exceptions.Throttled: _("Too many requests. Wait as long as the header “Retry-After” says, in seconds."),
    }
    return texts.get(type(error), str(error.detail))


def _summary(fields: dict[str, str]) -> str:
    if len(fields) == 1:
        return next(iter(fields.values()))
    return _("These cannot be accepted: %(fields)s.") % {"fields": ", ".join(fields)}


def _flat(detail: Any, path: str = "") -> dict[str, str]:
    """``{"photo": ["a", "b"]}`` becomes ``{"photo": "a b"}``; what belongs to no field is called ``request``."""
    if isinstance(detail, dict):
        flat: dict[str, str] = {}
        for key, inner in detail.items():
            name = "request" if key == "non_field_errors" else str(key)
            flat |= _flat(inner, f"{path}.{name}" if path else name)
        return flat
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "request": " ".join(map(str, texts))}

"""Errors as JSON: ``code`` for programs, ``message`` for people, wrong ``fields``."""

import logging
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ml.errors import BundleError, GradingError
from screening.api.idempotency import HEADER
from screening.errors import is_storage_error, is_transient
from screening.labels.failures import STORAGE_MESSAGE, UNEXPECTED_MESSAGE
from screening.photos.validation import InvalidPhoto
from screening.services.bookings import BookingRefused
from screening.services.contacts import ContactRefused
from screening.services.corrections import CorrectionRefused
from screening.services.exam_locks import ExamLocked, NoFreeExam
from screening.services.exams import ExamError, ExamNotOpen, EyeNotPhotographed
from screening.services.gradings import GradingNotFailed
from screening.services.hand_overs import AlreadyRead
from screening.services.idempotency_keys import KeyReused, RequestInProgress
from screening.services.letter_batches import BatchRefused
from screening.services.patient_details import InvalidPatient
from screening.services.patient_questions import PatientNotConfirmed
from screening.services.patients import PatientExists
from screening.services.referrals import ReferralChanged, ReferralError
from screening.services.uploads import TooManyUploads, UploadIncomplete

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

logger = logging.getLogger(__name__)
RETRY_AFTER_S = 5
MESSAGES: dict[str, "_StrPromise"] = {
    "bad_request": gettext_lazy("The request could not be read. Check its body and its Content-Type."),
    "busy": gettext_lazy("The system is temporarily unavailable. Try again in a few seconds."),
    "forbidden": gettext_lazy("Your role does not allow this. Ask the site's manager for access."),
    "internal_error": UNEXPECTED_MESSAGE,
    "method_not_allowed": gettext_lazy("This method is not allowed here. The header “Allow” lists those that are."),
    "model_unavailable": gettext_lazy("The model is unavailable. Try again; if it stays so, tell your administrator."),
    "not_acceptable": gettext_lazy("Responses are JSON. Send the header “Accept: application/json”."),
    "not_authenticated": gettext_lazy("Send an API key in the header “Authorization: Bearer drk_...”."),
    "not_found": gettext_lazy("There is no such record, or it belongs to a site where you have no role."),
    "storage_unavailable": STORAGE_MESSAGE,
    "throttled": gettext_lazy("Too many requests. Wait for the number of seconds in the header “Retry-After”."),
    "unsupported_media_type": gettext_lazy("This Content-Type is not supported. Send %(accepted)s."),
}
"""Messages that do not come from a service, by code."""


class ApiError(Exception):
    """A request that is refused. ``details`` are further keys of the response."""

    def __init__(
        self, status: int, code: str, message: str = "", fields: dict[str, str] | None = None, **details: Any
    ) -> None:
        self.status, self.code, self.message = status, code, message or str(MESSAGES[code])
        self.fields, self.details = fields or {}, details
        self.headers: dict[str, str] = {}
        super().__init__(self.message)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: the JSON response for any exception."""
    api_error = to_api_error(error, context)
    body = {"code": api_error.code, "message": api_error.message, "fields": api_error.fields, **api_error.details}
    return Response(body, status=api_error.status, headers=api_error.headers)


def to_api_error(error: Exception, context: dict[str, Any]) -> ApiError:
    """The error that any exception is. Unexpected ones are logged."""
    api_error = _expected_error(error, context)
    if api_error is None:
        set_rollback()
        logger.error("Unexpected error in the API, %s", type(context.get("view")).__name__, exc_info=error)
        api_error = ApiError(500, "internal_error")
    return api_error


def _expected_error(error: Exception, context: dict[str, Any]) -> ApiError | None:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        return ApiError(404, "not_found")
    if isinstance(error, exceptions.APIException):
        return _from_rest_framework(error, context)
    return _from_services(error) or _from_keys(error) or _from_django(error)


_CONFLICT_CODES: dict[type[Exception], str] = {
    AlreadyRead: "already_read",
    BatchRefused: "letters_refused",
    CorrectionRefused: "correction_refused",
    ExamLocked: "exam_locked",
    ExamNotOpen: "exam_not_open",
    EyeNotPhotographed: "eye_not_photographed",
    GradingNotFailed: "grading_not_failed",
    NoFreeExam: "no_free_exam",
    ReferralChanged: "referral_changed",
    ReferralError: "referral_refused",
    TooManyUploads: "too_many_uploads",
    UploadIncomplete: "upload_incomplete",
}


def _from_services(error: Exception) -> ApiError | None:
    message = str(error)
    if isinstance(error, InvalidPhoto):
        return ApiError(400, error.code, message, {"photo": message})
    if isinstance(error, GradingError):
        return ApiError(400, "unreadable", message, {"photo": message})
    if isinstance(error, PatientNotConfirmed):
        return _from_questions(error)
    if isinstance(error, InvalidPatient | BookingRefused | ContactRefused):
        return _from_details(error)
    if isinstance(error, ExamError | GradingNotFailed):
        return ApiError(409, _CONFLICT_CODES.get(type(error), "exam_conflict"), message)
    return None


def _from_keys(error: Exception) -> ApiError | None:
    message = str(error)
    if isinstance(error, KeyReused):
        return ApiError(422, "idempotency_key_reused", message, {HEADER: message})
    if isinstance(error, RequestInProgress):
        api_error = ApiError(409, "request_in_progress", message)
        api_error.headers["Retry-After"] = str(RETRY_AFTER_S)
        return api_error
    return None


def _from_details(error: InvalidPatient | BookingRefused | ContactRefused) -> ApiError:
    message = str(error)
    if isinstance(error, BookingRefused | ContactRefused):
        return ApiError(400, "invalid", message, {error.field: message})
    if isinstance(error, PatientExists) and error.existing is not None:
        return ApiError(409, "patient_exists", message, {"mrn": message}, existing_id=str(error.existing.pk))
    return ApiError(400, "invalid", message, dict.fromkeys(error.fields, message))


def _from_questions(error: PatientNotConfirmed) -> ApiError:
    fields: dict[str, str] = {}
    for question in error.questions:
        fields[question.field] = f"{fields.get(question.field, '')} {question.message}".strip()
    existing_ids = [str(patient.pk) for patient in error.similar]
    code = error.questions[0].code
    return ApiError(409, code, str(error), fields, existing_ids=existing_ids, confirm=error.answers)


def _from_django(error: Exception) -> ApiError | None:
    if isinstance(error, PermissionDenied):
        return ApiError(403, "forbidden", str(error))
    if isinstance(error, RequestDataTooBig):
        return ApiError(413, "request_too_large", _("The form fields are too long. Send shorter ones."))
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return ApiError(400, "bad_request")
    if is_transient(error):
        logger.error("The API is temporarily unavailable", exc_info=error)
        api_error = ApiError(503, _unavailable_code(error))
        api_error.headers["Retry-After"] = str(RETRY_AFTER_S)
        return api_error
    return None


def _unavailable_code(error: Exception) -> str:
    if isinstance(error, BundleError):
        return "model_unavailable"
    return "storage_unavailable" if is_storage_error(error) else "busy"


_CODES = {"permission_denied": "forbidden", "parse_error": "bad_request", "error": "internal_error"}
"""Our codes for those of DRF that differ."""


def _from_rest_framework(error: exceptions.APIException, context: dict[str, Any]) -> ApiError:
    if isinstance(error, exceptions.ValidationError):
        fields = _flatten(error.detail)
        return ApiError(400, "invalid", _summary(fields), fields)
    code = str(error.get_codes())
    code = _CODES.get(code, code)
    message = str(error.detail)
    if code in MESSAGES and not isinstance(error, exceptions.PermissionDenied):  # whose message is about the CSRF token
        accepted = ", ".join(parser.media_type for parser in getattr(context.get("view"), "parser_classes", ()))
        message = MESSAGES[code] % {"accepted": accepted}
    api_error = ApiError(error.status_code, code, message)
    if (header := getattr(error, "auth_header", None)) is not None:
        api_error.headers["WWW-Authenticate"] = header
    if (wait := getattr(error, "wait", None)) is not None:
        api_error.headers["Retry-After"] = str(int(wait) + 1)
    return api_error


def _summary(fields: dict[str, str]) -> str:
    if len(fields) == 1:
        return next(iter(fields.values()))
    return _("These fields are invalid: %(fields)s. Correct them.") % {"fields": ", ".join(fields)}


def _flatten(detail: Any, path: str = "") -> dict[str, str]:
    """Flatten nested errors: ``{"photo": ["a", "b"]}`` becomes ``{"photo": "a b"}``.

    Errors of no field have the key ``request``.
    """
    if isinstance(detail, dict):
        flat: dict[str, str] = {}
        for key, inner in detail.items():
            name = "request" if key == "non_field_errors" else _writable(key)
            flat |= _flatten(inner, f"{path}.{name}" if path else name)
        return flat
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "request": " ".join(map(_writable, texts))}


def _writable(text: object) -> str:
    """A text that UTF-8 can hold: half of a surrogate pair, which JSON can name, as an escape."""
    return str(text).encode(errors="backslashreplace").decode()

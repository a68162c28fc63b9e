"""OpenAPI: responses of operations, errors and examples."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from screening.api.authentication import ApiKeyAuthentication
from screening.api.errors import MESSAGES
from screening.api.serializers.errors import ErrorSerializer
from screening.api.serializers.gradings import describe_quality_reasons, disclaimer, grade_label
from screening.api.serializers.images import EYE_REQUIRED
from screening.labels.limits import BODY_ERRORS
from screening.labels.oedema import CANNOT_EXCLUDE, NO_SUSPICION, SUSPICION
from screening.labels.quality import LIMITATION
from screening.photos.validation import rejection_message
from screening.services.exams import ExamNotOpen
from screening.services.idempotency_keys import KeyReused
from screening.services.patient_questions import PatientQuestion
from screening.services.patients import PatientExists

PREDICTIONS, PATIENTS, EXAMS, RESULTS, SYSTEM = "Predictions", "Patients", "Exams", "Results", "System"

_ERRORS = {
    400: ("The request is invalid.", "invalid", str(EYE_REQUIRED)),
    401: ("No API key, or an unusable one.", "not_authenticated", str(MESSAGES["not_authenticated"])),
    403: ("The user has no role for this.", "forbidden", str(MESSAGES["forbidden"])),
    404: ("The record does not exist or belongs to another site.", "not_found", str(MESSAGES["not_found"])),
    409: ("The state of the record does not allow this.", "exam_not_open", str(ExamNotOpen())),
    411: (
        "The body is chunked, and the server cannot decode it.",
        "length_required",
        str(BODY_ERRORS["length_required"]),
    ),
    412: ("Another version of the protocol tus.", "tus_version", "Send the header “Tus-Resumable: 1.0.0”."),
    413: ("The request body is too large.", "request_too_large", rejection_message("too_large")),
    415: (
        "The Content-Type is not supported (or a Content-Encoding is used: `unsupported_encoding`).",
        "unsupported_media_type",
        MESSAGES["unsupported_media_type"] % {"accepted": "multipart/form-data"},
    ),
    422: (
        "The `Idempotency-Key` belongs to another request.",
        "idempotency_key_reused",
        str(KeyReused()),
    ),
    429: (
        "Too many requests. `Retry-After` has the seconds to wait.",
        "throttled",
        str(MESSAGES["throttled"]),
    ),
    503: (
        "Temporarily unavailable. `Retry-After` has the seconds to wait.",
        "model_unavailable",
        str(MESSAGES["model_unavailable"]),
    ),
}
_BODY_ERRORS = (400, 411, 413, 415)
_COMMON_ERRORS = (401, 403, 429, 503)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """The security scheme of API keys."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `drk_` and 43 characters, issued in the administration panel. It acts as its "
            "user, with the user's roles. It is shown once, and only its hash is stored.",
        }


def responses(*statuses: int, has_body: bool = False, **successes: Any) -> dict[int, Any]:
    """Responses of an operation. ``ok=`` or ``created=`` has the serializer, ``statuses`` the errors."""
    found: dict[int, Any] = {{"ok": 200, "created": 201}[name]: serializer for name, serializer in successes.items()}
    for status in sorted({*statuses, *_COMMON_ERRORS, *(_BODY_ERRORS if has_body else ())}):
        found[status] = error_response(status)
    return found


def error_response(status: int) -> OpenApiResponse:
    """An error with its description and an example."""
    description, code, message = _ERRORS[status]
    fields = {"laterality": message} if status == 400 else {}
    example = OpenApiExample(code, value={"code": code, "message": message, "fields": fields})
    return OpenApiResponse(ErrorSerializer, description, [example])


_ID = "2f9c6a1e-5d0b-4f0e-9a57-3f6f0a3c9a10"
_UNGRADABLE = {
    "model_version": "student-0.1.0+1a2b3c4d",
    "is_gradable": False,
    "quality_level": "ungradable",
    "p_gradable": 0.08,
    "quality_reasons": describe_quality_reasons(["blurred"]),
    "grade": None,
    "grade_name": None,
    "probabilities": None,
    "p_at_least": None,
    "p_referable": None,
    "is_referable": None,
    "is_limited_negative": False,
    "limitation": "",
    "p_macular_oedema": None,
    "suspects_oedema": None,
    "oedema_operating_point": None,
    "oedema_text": "",
    "laterality_suggested": None,
    "laterality_confidence": None,
    "operating_point": 0.31,
    "heatmap_png": None,
    "oedema_heatmap_png": None,
    "heatmap_box": None,
    "has_writing": False,
    "disclaimer": disclaimer(),
}
_GRADABLE = _UNGRADABLE | {
    "is_gradable": True,
    "quality_level": "good",
    "p_gradable": 0.97,
    "quality_reasons": [],
    "grade": 2,
    "grade_name": grade_label(2),
    "probabilities": [0.06, 0.11, 0.66, 0.12, 0.05],
    "p_at_least": [0.94, 0.83, 0.17, 0.05],
    "p_referable": 0.83,
    "is_referable": True,
    "p_macular_oedema": 0.41,
    "suspects_oedema": True,
    "oedema_operating_point": 0.11,
    "oedema_text": f"{SUSPICION}. {CANNOT_EXCLUDE}",
    "laterality_suggested": "OD",
    "laterality_confidence": 0.99,
    "heatmap_png": "iVBORw0KGgo...",
    "oedema_heatmap_png": "iVBORw0KGgo...",
    "heatmap_box": [0.12, 0.0, 0.88, 1.0],
}
_USABLE = _GRADABLE | {
    "quality_level": "usable",
    "p_gradable": 0.71,
    "quality_reasons": describe_quality_reasons(["blurred"]),
    "grade": 0,
    "grade_name": grade_label(0),
    "probabilities": [0.85, 0.07, 0.06, 0.01, 0.01],
    "p_at_least": [0.15, 0.08, 0.02, 0.01],
    "p_referable": 0.08,
    "is_referable": False,
    "p_macular_oedema": 0.02,
    "suspects_oedema": False,
    "oedema_text": f"{NO_SUSPICION}. {CANNOT_EXCLUDE}",
    "is_limited_negative": True,
    "limitation": str(LIMITATION),
}
PREDICTION_EXAMPLES = [
    OpenApiExample("Gradable", response_only=True, status_codes=["200"], value=_GRADABLE),
    OpenApiExample(
        "Usable with limits",
        description="Graded, but not a clear negative: show `limitation`, and have a person read the photograph.",
        response_only=True,
        status_codes=["200"],
        value=_USABLE,
    ),
    OpenApiExample(
        "Ungradable",
        description="Not an error: show the photographer the advice.",
        response_only=True,
        status_codes=["200"],
        value=_UNGRADABLE,
    ),
]
NEW_PATIENT_EXAMPLE = OpenApiExample(
    "A patient",
    request_only=True,
    value={
        "mrn": "000417",
        "given_name": "Ada",
        "family_name": "Example",
        "born_on": "1960-05-17",
        "sex": "F",
        "diabetes_type": "2",
        "diabetes_since_year": 2009,
    },
)
PARTIAL_PATIENT_EXAMPLE = OpenApiExample(
    "One name, an estimated age",
    request_only=True,
    value={"mrn": "000418", "given_name": "Suharti", "estimated_age": 60, "age_estimated_on": "2026-11-02"},
)
NAME_SEARCH_EXAMPLE = OpenApiExample("By name", request_only=True, value={"text": "muller ada"})
SEARCH_EXAMPLE = OpenApiExample("By number", request_only=True, value={"mrn": "000417", "match": "exact"})
NEW_EXAM_EXAMPLE = OpenApiExample("An exam", request_only=True, value={"patient": _ID})
_EXISTS = str(PatientExists())
EXISTS_EXAMPLE = OpenApiExample(
    "patient_exists",
    response_only=True,
    status_codes=["409"],
    value={"code": "patient_exists", "message": _EXISTS, "fields": {"mrn": _EXISTS}, "existing_id": _ID},
)
_POSSIBLE_DUPLICATE = PatientQuestion("possible_duplicate", "family_name")
DUPLICATE_EXAMPLE = OpenApiExample(
    "possible_duplicate",
    response_only=True,
    status_codes=["409"],
    value={
        "code": "possible_duplicate",
        "message": _POSSIBLE_DUPLICATE.message,
        "fields": {"family_name": _POSSIBLE_DUPLICATE.message},
        "existing_ids": [_ID],
        "confirm": [f"possible_duplicate:{_ID}"],
    },
)

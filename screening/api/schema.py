"""What the OpenAPI schema says of errors, and its examples."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from screening.api.authentication import ApiKeyAuthentication
from screening.api.serializers.errors import ErrorSerializer
from screening.photos.validation import rejection_message

PREDICTIONS, PATIENTS, EXAMS, RESULTS, SITE = "Predictions", "Patients", "Exams", "Results", "System"

_ERRORS = {
    400: ("Something that was sent cannot be accepted.", "invalid", "Say which eye this is: OD (right) or OS (left)."),
    401: (
        "No key, or one that cannot be used.",
        "not_authenticated",
        "Send your API key in the header “Authorization: Bearer drk_...”.",
    ),
    403: (
        "The key's user has no role for this.",
        "forbidden",
        "Your role at this site does not allow this. Ask the site's manager for access.",
    ),
    404: (
        "Not there, or another site's.",
        "not_found",
        "There is no such record, or it belongs to a site where you have no role.",
    ),
    409: (
        "The record is not in a state for this.",
        "exam_not_open",
        "This exam is closed. Open a new exam for more photographs.",
    ),
    413: (
        "Too many bytes.",
        "request_too_large",
        rejection_message("too_large"),
    ),
    415: (
        "Not the form in which this is read.",
        "unsupported_media_type",
        "This cannot be read in this form. Send it as multipart/form-data.",
    ),
    429: (
        "Too many requests; `Retry-After` says how many seconds to wait.",
        "throttled",
        "Too many requests. Wait as long as the header “Retry-After” says, in seconds.",
    ),
    503: (
        "Not just now; `Retry-After` says how many seconds to wait.",
        "model_unavailable",
        "This cannot be answered just now. Try again in some seconds.",
    ),
}
_OF_BODIES = (400, 413, 415)
_EVERYWHERE = (401, 403, 429, 503)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the OpenAPI schema names the key."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `drk_` and 43 characters, issued in the administration panel. It acts as its "
            "user, with the user's roles. Only its hash is stored: it is shown once.",
        }


def responses(*statuses: int, has_body: bool = False, **successes: Any) -> dict[int, Any]:
    """The answers of an operation: ``ok=`` or ``created=`` a serializer, the named errors, and those of every one."""
    found: dict[int, Any] = {{"ok": 200, "created": 201}[name]: shape for name, shape in successes.items()}
    for status in sorted({*statuses, *_EVERYWHERE, *(_OF_BODIES if has_body else ())}):
        found[status] = _error(status)
    return found


def _error(status: int) -> OpenApiResponse:
    description, code, message = _ERRORS[status]
    fields = {"laterality": message} if status == 400 else {}
    example = OpenApiExample(code, value={"code": code, "message": message, "fields": fields})
    return OpenApiResponse(ErrorSerializer, description, [example])


_NAMES = ("No apparent retinopathy", "Mild", "Moderate non-proliferative")
_ID = "2f9c6a1e-5d0b-4f0e-9a57-3f6f0a3c9a10"
PREDICTION_EXAMPLES = [
    OpenApiExample(
        "Gradable",
        response_only=True,
        status_codes=["200"],
        value={
            "model_version": "student-0.1.0+1a2b3c4d",
            "is_gradable": True,
            "p_gradable": 0.97,
            "quality_reasons": [],
            "grade": 2,
            "grade_name": _NAMES[2],
            "probabilities": [0.06, 0.11, 0.66, 0.12, 0.05],
            "p_referable": 0.83,
            "is_referable": True,
            "operating_point": 0.31,
            "heatmap_png": "iVBORw0KGgo...",
            "heatmap_box": [0.12, 0.0, 0.88, 1.0],
            "disclaimer": "Decision support for clinicians, not a certified medical device. ...",
        },
    ),
    OpenApiExample(
        "Ungradable",
        description="Not an error: the photographer is told what to do.",
        response_only=True,
        status_codes=["200"],
        value={
            "model_version": "student-0.1.0+1a2b3c4d",
            "is_gradable": False,
            "p_gradable": 0.08,
            "quality_reasons": [
                {
                    "code": "blurred",
                    "problem": "The photograph is out of focus.",
                    "advice": "Refocus on the vessels at the disc, ask the patient to blink and hold still, ...",
                }
            ],
            "grade": None,
            "grade_name": None,
            "probabilities": None,
            "p_referable": None,
            "is_referable": None,
            "operating_point": 0.31,
            "heatmap_png": None,
            "heatmap_box": None,
            "disclaimer": "Decision support for clinicians, not a certified medical device. ...",
        },
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
SEARCH_EXAMPLE = OpenApiExample("A number", request_only=True, value={"mrn": "000417", "match": "exact"})
NEW_EXAM_EXAMPLE = OpenApiExample("A visit", request_only=True, value={"patient": _ID})
EXISTS_EXAMPLE = OpenApiExample(
    "patient_exists",
    response_only=True,
    status_codes=["409"],
    value={
        "code": "patient_exists",
        "message": "This medical record number is already registered at this site. Open that patient instead.",
        "fields": {"mrn": "This medical record number is already registered at this site. Open that patient instead."},
        "existing_id": _ID,
    },
)

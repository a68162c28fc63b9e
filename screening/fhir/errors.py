"""Errors as OperationOutcome: a code for programs, a message for people, the wrong parameters."""

from typing import Any

from rest_framework.response import Response

from screening.api.errors import ApiError, to_api_error
from screening.fhir.codes import Json

_ISSUE_TYPES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}
"""Codes of HL7's issue-type by status of the response."""


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: as that of the API, with an OperationOutcome."""
    api_error = to_api_error(error, context)
    return Response(outcome_resource(api_error), status=api_error.status, headers=api_error.headers)


def outcome_resource(error: ApiError) -> Json:
    """An issue for each wrong parameter; one if the error is of none."""
    issues = [(message, [name]) for name, message in error.fields.items()] or [(error.message, [])]
    code = _ISSUE_TYPES.get(error.status, "exception")
    return {"resourceType": "OperationOutcome", "issue": [_issue(code, message, names) for message, names in issues]}


def _issue(code: str, message: str, names: list[str]) -> Json:
    issue: Json = {"severity": "error", "code": code, "diagnostics": message}
    return issue | ({"expression": [f"http.{name}" for name in names]} if names else {})

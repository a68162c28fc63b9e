"""OpenAPI of requests that may be sent again."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from screening.api.idempotency import HEADER, MAX_KEY_LENGTH
from screening.purposes import CLIENT_PURPOSES, PURPOSE_HEADER

_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "example": "0b7e2f1c-6d0a-4f53-8c3e-0f1d2a3b4c5d"},
    OpenApiParameter.HEADER,
    required=False,
    description="A text of your choice, best a random UUID, a new one for each new request. If no response comes, send "
    "the request again with the same key, within 24 hours: it is carried out once, and the response is built again "
    "from the record as it is then. `409`, `request_in_progress`, while the first one is being carried out; `422` if "
    "the key belongs to another request. A request that was refused does not use up its key.",
)


_PURPOSE = OpenApiParameter(
    PURPOSE_HEADER,
    {"type": "string", "enum": list(CLIENT_PURPOSES), "default": CLIENT_PURPOSES[0]},
    OpenApiParameter.HEADER,
    required=False,
    description="Why the data are used, for the audit trail: a code of HL7's PurposeOfUse. Another one is refused "
    "(`400`, `unknown_purpose`).",
)


class RepeatableSchema(AutoSchema):
    """Adds the header of the purpose to each operation, and to each POST that stores something ``Idempotency-Key``."""

    def get_override_parameters(self) -> list[Any]:
        """The headers that apply."""
        return [_PURPOSE, *([_KEY] if self._is_repeatable() else [])]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        from screening.api.schema import error_response  # late: it imports serializers, which import this module

        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in (400, 409, 422) if self._is_repeatable() else (400,):  # 400: an unknown purpose
            if str(status) not in bodies:
                response = error_response(status)
                bodies[str(status)] = self._get_response_for_code(response, str(status))  # type: ignore[no-untyped-call]
        return dict(sorted(bodies.items()))

    def _is_repeatable(self) -> bool:
        return self.method == "POST" and not getattr(self.view, "is_read_only", True)

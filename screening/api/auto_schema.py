"""OpenAPI of requests that may be sent again, and of choices that may be empty."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import ChoiceField

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


class ApiSchema(AutoSchema):
    """Adds the header of the purpose to each operation, and to each POST that stores something ``Idempotency-Key``.

    A choice that is read may be empty if its column may be: DRF forgets this of fields that are only read.
    """

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        if isinstance(field, ChoiceField) and field.read_only and _has_blank_column(field):
            field.allow_blank = True
        return super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]

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


def _has_blank_column(field: Any) -> bool:
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    try:
        return model is not None and bool(model._meta.get_field(field.source).blank)
    except FieldDoesNotExist:  # a property, or a column of another row
        return False

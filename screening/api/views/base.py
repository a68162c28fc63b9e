"""Base classes of the API's views, and the view for unknown URLs."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListField
from rest_framework.views import APIView

from screening.access import Action, require
from screening.api import idempotency
from screening.api.errors import ApiError
from screening.api.pagination import NewestFirstPagination
from screening.api.parsers import StrictJsonParser
from screening.api.surplus import blank_errors, surplus_errors
from screening.models import AuditEvent, IdempotencyKey, User
from screening.photos import validation
from screening.services.audit import record_event
from screening.services.idempotency_keys import claim_key, finish_key, release_key
from screening.site_paths import site_of

_MAX_JSON_KB = 64
"""The details of a patient are some hundred bytes."""
_MAX_FORM_BYTES = validation.MAX_BYTES + 1024 * 1024
"""The largest photograph, and the rest of its form."""


class AcceptNegotiation(DefaultContentNegotiation):
    """The format of responses by the header Accept alone: ``format`` in a query is a field like any other."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002 (the name in DRF)
        """All of them."""
        return renderers


class ApiView(GenericAPIView[Any]):
    """Base of all views: JSON, not cached, with a limit on the size of the body.

    ``actions`` has the action of ``access.py`` that each method needs. A POST may be sent again with the same
    ``Idempotency-Key``: its response is then built from the record, unless the view is marked ``is_read_only``.
    """

    actions: ClassVar[dict[str, Action]] = {}
    http_method_names = ["get", "head", "post"]
    parser_classes: tuple[type[BaseParser], ...] = (StrictJsonParser,)
    content_negotiation_class = AcceptNegotiation
    throttle_scope = "data"
    max_body_bytes = _MAX_JSON_KB * 1024
    query_parameters: ClassVar[tuple[str, ...]] = ()
    """Parameters of the query string that are not in the view's own serializer."""
    is_read_only: ClassVar[bool] = False
    """Whether a POST stores nothing but its audit event: then it needs no ``get_record``."""
    post: Callable[..., Response]

    @property
    def user(self) -> User:
        """The authenticated user."""
        assert isinstance(self.request.user, User)  # noqa: S101 (for the type: HasActionPermission has checked it)
        return self.request.user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (413) by Content-Length, before the body is read."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.max_body_bytes:
            raise ApiError(413, "request_too_large", self.too_large())
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and not self.is_read_only:
            key = idempotency.key_of(request)
            if key is not None:
                self.post = partial(self._post_once, self.post, key)  # what dispatch() calls next

    def get_record(self, record_id: UUID) -> Model:
        """The record that the response to a POST is about. Raises Http404 if the user may not see it."""
        raise NotImplementedError

    def record_response(self, record_id: UUID, *, status: int = 200) -> Response:
        """Response with a record as the user may see it now. Raises Http404."""
        return Response(self.serialized(self.get_record(record_id)), status=status)

    def serialized(self, record: Model) -> Any:
        """A record as JSON."""
        assert self.serializer_class is not None  # noqa: S101 (for the type)
        return self.serializer_class(record).data

    def _post_once(
        self, post: Callable[..., Response], key: str, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        """Carry out a POST, or respond from the record that an earlier one with this key made."""
        assert request.resolver_match is not None  # noqa: S101 (for the type)
        content = idempotency.content_of(request, kwargs)
        row = claim_key(key=key, route=request.resolver_match.view_name, request=content, by=self.user)
        if row.is_finished:
            return self._repeat(row)
        try:
            response = post(request, *args, **kwargs)
            if response.status_code >= 400:
                release_key(row=row)
            else:
                finish_key(row=row, status=response.status_code, object_id=response.data["id"])
        except BaseException:
            release_key(row=row)
            raise
        return response

    def _repeat(self, row: IdempotencyKey) -> Response:
        """The response of a finished request. Access is checked again: roles may have changed since."""
        assert row.object_id is not None  # noqa: S101 (finished)
        record = self.get_record(row.object_id)
        site = site_of(record)
        require(self.user, self.actions["POST"], site)
        record_event(verb=AuditEvent.Verb.REQUEST_REPEATED, subject=record, site=site, by=self.user)
        response = Response(self.serialized(record), status=row.status)
        response.headers[idempotency.REPEATED_HEADER] = "true"
        return response

    def too_large(self) -> str:
        """Message for a body over ``max_body_bytes``."""
        return _("The request body is larger than %(limit)d kB. Send a smaller one.") % {"limit": _MAX_JSON_KB}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Responses have patient data: browsers and proxies must not store them."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        return final

    def validated_data(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The body, validated by ``serializer``. Raises ValidationError, also for a field that it does not have."""
        if self.request.data is None:
            raise ValidationError({"request": _("The body is null. Send a JSON object.")})
        return _validated(serializer, self.request.data)

    def validated_query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query string, validated by ``serializer``. Raises ValidationError, also for an unknown parameter."""
        return _validated(serializer, self.request.query_params, known=self.query_parameters)


class PhotoUploadView(ApiView):
    """Base of views that receive a photograph."""

    parser_classes = (MultiPartParser,)
    throttle_scope = "photos"
    max_body_bytes = _MAX_FORM_BYTES

    def too_large(self) -> str:
        """Message for a body over ``max_body_bytes``."""
        return validation.rejection_message("too_large")


class ApiListView(ApiView, ListModelMixin):
    """Base of lists: in pages, newest first."""

    pagination_class = NewestFirstPagination
    query_parameters = ("page_size", "cursor")


class NotFoundView(APIView):
    """404 in JSON for unknown URLs, without authentication."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The same response for all methods."""
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (404)."""
        raise ApiError(404, "not_found", _("This URL does not exist. URLs of the API do not end with a slash."))


def _validated(serializer: type[BaseSerializer[Any]], data: Any, *, known: tuple[str, ...] = ()) -> dict[str, Any]:
    checked = serializer(data=data)
    fields = getattr(checked, "fields", {})
    lists = {name for name, field in fields.items() if isinstance(field, ListField)}
    errors = surplus_errors(data, known={*fields, *known}, repeatable=lists)
    if not checked.is_valid():
        errors |= checked.errors
    errors = blank_errors(data, fields=fields) | errors
    if errors:
        raise ValidationError(errors)
    return dict(checked.validated_data)

"""Base classes of the API's views, and the view for unknown URLs."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.pagination import NewestFirstPagination
from screening.models import User
from screening.photos import validation

_MAX_JSON_KB = 64
"""The details of a patient are some hundred bytes."""
_MAX_FORM_BYTES = validation.MAX_BYTES + 1024 * 1024
"""The largest photograph, and the rest of its form."""


class ApiView(GenericAPIView[Any]):
    """Base of all views: JSON, not cached, with a limit on the size of the body.

    ``actions`` has the action of ``access.py`` that each method needs.
    """

    actions: ClassVar[dict[str, Action]] = {}
    http_method_names = ["get", "head", "post"]
    parser_classes: tuple[type[BaseParser], ...] = (JSONParser,)
    throttle_scope = "data"
    max_body_bytes = _MAX_JSON_KB * 1024

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

    def too_large(self) -> str:
        """Message for a body over ``max_body_bytes``."""
        return _("The request body is larger than %(limit)d kB. Send a smaller one.") % {"limit": _MAX_JSON_KB}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Responses have patient data: browsers and proxies must not store them."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        return final

    def validated_data(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The body, validated by ``serializer``. Raises ValidationError."""
        body = serializer(data={} if self.request.data is None else self.request.data)  # None: JSON null
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def validated_query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query string, validated by ``serializer``. Raises ValidationError."""
        query = serializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


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

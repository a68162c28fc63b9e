"""What every address of the API has in common, and the address of everything else."""

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
from screening.api.errors import ApiError, not_found
from screening.api.pagination import NewestFirstPagination
from screening.models import User
from screening.photos import validation

_MAX_JSON_BYTES = 64 * 1024
"""A patient's details are some hundred bytes."""
_MAX_FORM_BYTES = validation.MAX_BYTES + 1024 * 1024
"""A photograph at its limit, and what multipart writes around it."""


class ApiView(GenericAPIView[Any]):
    """Base of all views: JSON in, JSON out, nothing kept in caches; ``actions`` says what each method asks of access.

    Sizes are checked before a body is read.
    """

    actions: ClassVar[dict[str, Action]] = {}
    http_method_names = ["get", "head", "post"]
    parser_classes: tuple[type[BaseParser], ...] = (JSONParser,)
    throttle_scope = "data"
    max_body_bytes = _MAX_JSON_BYTES

    @property
    def user(self) -> User:
        """Who calls, after ``HasActionPermission``."""
        assert isinstance(self.request.user, User)  # noqa: S101 (for the type: HasActionPermission let nobody else in)
        return self.request.user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (413) by the announced size."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.max_body_bytes:
            raise ApiError(413, "request_too_large", self.too_large())
        super().initial(request, *args, **kwargs)

    def too_large(self) -> str:
        """The sentence for a body over ``max_body_bytes``."""
        return _("The request is too large: an answer to these fields is never over 64 kB.")

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Answers hold patients' data: neither browsers nor proxies keep them."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        return final

    def validated_data(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The body, checked by ``serializer``. Raises ValidationError."""
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def validated_query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query of the address, checked by ``serializer``. Raises ValidationError."""
        query = serializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class PhotoUploadView(ApiView):
    """Base of views that take a photograph."""

    parser_classes = (MultiPartParser,)
    throttle_scope = "photos"
    max_body_bytes = _MAX_FORM_BYTES

    def too_large(self) -> str:
        """The sentence for a body over ``max_body_bytes``."""
        return validation.rejection_message("too_large")


class ApiListView(ApiView, ListModelMixin):
    """Base of lists: newest first, in pages."""

    pagination_class = NewestFirstPagination


class NotFoundView(APIView):
    """Addresses that do not exist answer in JSON too, to everybody: there is nothing to protect."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The same for every method."""
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (404)."""
        api_error = not_found()
        api_error.message = _("There is nothing at this address. Addresses of the API do not end with a slash.")
        raise api_error

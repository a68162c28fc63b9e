"""Cursor pagination, newest first: pages do not shift while rows are added."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from screening.selectors.list_rows import rows_of_ids

PAGE_SIZE, MAX_PAGE_SIZE = 25, 100
_INVALID_CURSOR = _("This cursor is not valid. Start again with the first page.")


class NewestFirstPagination(CursorPagination):
    """Pages by time of creation, then id. The cursor has a time only, so that no URL has patient data."""

    page_size = PAGE_SIZE
    min_page_size, max_page_size = 1, MAX_PAGE_SIZE
    page_size_query_param = "page_size"
    page_size_query_description = "Rows in a page."
    cursor_query_description = "Start of the page. Use the links `next` and `previous`."
    ordering = ("-created_at", "pk")

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError unless the size is ``min_page_size`` to MAX_PAGE_SIZE."""
        text = self.parameters_of(request).get(self.page_size_query_param, str(PAGE_SIZE))
        is_number = text.isascii() and text.isdigit() and len(text) < 5
        if not (is_number and self.min_page_size <= int(text) <= MAX_PAGE_SIZE):
            limits = {"first": self.min_page_size, "last": MAX_PAGE_SIZE}
            message = _("Enter a whole number from %(first)d to %(last)d.") % limits
            raise ValidationError({self.page_size_query_param: message})
        return int(text)

    def parameters_of(self, request: Request) -> QueryDict:
        """What the request asks for."""
        return request.query_params

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the page: their ids first (``selectors.list_rows.load_rows``)."""
        ids = queryset.prefetch_related(None).values("pk", "created_at")
        page: list[Any] | None = super().paginate_queryset(ids, request, view)
        return rows_of_ids(queryset, [row["pk"] for row in page or ()])

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises ValidationError for an invalid cursor."""
        invalid = ValidationError({self.cursor_query_param: _INVALID_CURSOR})
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise invalid from None
        if cursor is None:
            return None
        token = self._token_of(cursor)
        has_valid_position = cursor.position is None or _is_datetime(str(cursor.position))
        if not (token and has_valid_position and token == request.query_params[self.cursor_query_param]):
            raise invalid
        return cursor

    def _token_of(self, cursor: Cursor) -> str:
        """The cursor as the links have it: any other text was not made here."""
        address = urlsplit(self.encode_cursor(cursor))
        return dict(parse_qsl(address.query)).get(self.cursor_query_param, "")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """With the limits of the size."""
        cursor, page_size = super().get_schema_operation_parameters(view)
        page_size["schema"] |= {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}
        return [cursor, page_size]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """``next`` and ``previous`` are required, and null at the ends."""
        link = {"type": "string", "format": "uri", "nullable": True}
        example = "https://screening.example.org/api/v1/exams?cursor=cD0yMDI2LTAxLTAy"
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": {**link, "example": example}, "previous": {**link, "example": None}}
            | {"results": schema},
        }


def _is_datetime(text: str) -> bool:
    """A time with its zone that a database can hold."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None and 1900 <= moment.year < 2900

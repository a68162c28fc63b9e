"""Lists in pages that stay right while rows are added: a cursor, newest first."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

PAGE_SIZE, MAX_PAGE_SIZE = 25, 100


class NewestFirstPagination(CursorPagination):
    """By time of creation, ties by id. The cursor holds a time and no more: nothing of a patient reaches an address."""

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "page_size"
    page_size_query_description = "Rows in a page, 1 to 100. Default 25."
    cursor_query_description = "Where the page begins. Follow `next` and `previous` rather than making one."
    ordering = ("-created_at", "pk")

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError for a size that is none, or over the limit, rather than answering another."""
        text = request.query_params.get(self.page_size_query_param, str(PAGE_SIZE))
        if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_PAGE_SIZE):
            raise ValidationError({"page_size": _("Give a whole number from 1 to 100.")})
        return int(text)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises ValidationError for a cursor that this software did not make."""
        invalid = ValidationError({"cursor": _("This cursor is not valid. Begin with the first page again.")})
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise invalid from None
        if cursor is not None and cursor.position is not None and not _is_time(str(cursor.position)):
            raise invalid
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """``next`` and ``previous`` are always there, null at the ends."""
        link = {"type": "string", "format": "uri", "nullable": True}
        example = "https://screening.example.org/api/v1/exams?cursor=cD0yMDI2LTAxLTAy"
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": {**link, "example": example}, "previous": {**link, "example": None}}
            | {"results": schema},
        }


def _is_time(text: str) -> bool:
    try:
        return parse_datetime(text) is not None
    except ValueError:
        return False

"""Cursor pagination, newest first: pages do not shift while rows are added."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

PAGE_SIZE, MAX_PAGE_SIZE = 25, 100


class NewestFirstPagination(CursorPagination):
    """Pages by time of creation, then id. The cursor has a time only, so that no URL has patient data."""

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "page_size"
    page_size_query_description = f"Rows in a page, 1 to {MAX_PAGE_SIZE}. Default {PAGE_SIZE}."
    cursor_query_description = "Start of the page. Use the links `next` and `previous`."
    ordering = ("-created_at", "pk")

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError unless the size is 1 to MAX_PAGE_SIZE."""
        text = request.query_params.get(self.page_size_query_param, str(PAGE_SIZE))
        if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_PAGE_SIZE):
            message = _("Enter a whole number from 1 to %(limit)d.") % {"limit": MAX_PAGE_SIZE}
            raise ValidationError({"page_size": message})
        return int(text)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises ValidationError for an invalid cursor."""
        invalid = ValidationError({"cursor": _("This cursor is not valid. Start again with the first page.")})
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise invalid from None
        if cursor is not None and cursor.position is not None and not _is_datetime(str(cursor.position)):
            raise invalid
        return cursor

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
    try:
        return parse_datetime(text) is not None
    except ValueError:
        return False

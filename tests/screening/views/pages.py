"""Addresses and texts of pages."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}


def url(name: str, *args: object) -> str:
    return reverse(f"screening:{name}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def page_text(client: Client, name: str, *args: object, **query: str) -> str:
    return text_of(client.get(url(name, *args), query))


def count_queries(client: Client, name: str, *args: object, **query: str) -> int:
    """Queries of the second request; the first one of a session also stores the time."""
    client.get(url(name, *args), query)
    with CaptureQueriesContext(connection) as queries:
        client.get(url(name, *args), query)
    return len(queries)

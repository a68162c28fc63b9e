"""Addresses and texts of pages."""

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from drsite.joined_files import JOINED_FILES

JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}


def url(name: str, *args: object) -> str:
    return reverse(f"screening:{name}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def page_text(client: Client, name: str, *args: object, **query: str) -> str:
    return text_of(client.get(url(name, *args), query))


def form_data(form: Any) -> dict[str, Any]:
    """What a browser sends of a form that was not changed."""
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value is not None and value is not False}


STATIC = re.compile(r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"')


def static_files(html: str) -> list[str]:
    """Names of style sheets, scripts and icons that a page loads, each once."""
    return list(dict.fromkeys(STATIC.findall(html)))


def loaded_files(html: str) -> set[str]:
    """Names of the single files; of a joined file, those that it is made of."""
    return {file for name in static_files(html) for file in JOINED_FILES.get(name, (name,))}


def count_queries(client: Client, name: str, *args: object, **query: str) -> int:
    """Queries of the second request; the first one of a session also stores the time."""
    client.get(url(name, *args), query)
    with CaptureQueriesContext(connection) as queries:
        client.get(url(name, *args), query)
    return len(queries)

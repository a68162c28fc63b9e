"""A client of the API."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from screening.models import User
from screening.services.api_keys import issue_key
from tests.builders import photo_bytes

V1 = "/api/v1/"
FILE_NAME = "BYRON_ADA_1960-05-17_OD.jpg"


@dataclass
class ApiResponse:
    """A JSON response of the API."""

    status: int
    body: Any
    headers: Any


class ApiClient:
    """Sends requests with a new key of ``user``, or with ``key``; without both: unauthenticated."""

    def __init__(self, user: User | None, *, key: str | None = None) -> None:
        text = issue_key(user=user, name="test", by=None)[1] if user is not None else key
        self.client = Client(headers={"Authorization": f"Bearer {text}"} if text else {}, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> ApiResponse:
        """GET of a path or an absolute URL."""
        return _response(self.client.get(_url(path), query or None))

    def post(self, path: str, body: Any = None) -> ApiResponse:
        """POST of JSON to a path or an absolute URL."""
        data = "" if body is None else json.dumps(body, default=str)
        return _response(self.client.post(_url(path), data, content_type="application/json"))

    def patch(self, path: str, body: Any) -> ApiResponse:
        """PATCH of JSON to a path."""
        return _response(self.client.patch(_url(path), json.dumps(body), content_type="application/json"))

    def send(self, path: str, data: bytes | None = None, **fields: Any) -> ApiResponse:
        """POST of a multipart form with a photograph."""
        photo = SimpleUploadedFile(FILE_NAME, photo_bytes() if data is None else data, content_type="image/jpeg")
        return _response(self.client.post(_url(path), {"photo": photo, **fields}))


def _url(path: str) -> str:
    return path if path.startswith("http") else V1 + path


def _response(response: Any) -> ApiResponse:
    assert response["Content-Type"] == "application/json", response.content[:200]
    return ApiResponse(response.status_code, response.json(), response.headers)


def assert_is_error(response: ApiResponse, status: int, code: str) -> None:
    """The response is an error with the keys that every error has."""
    assert (response.status, response.body["code"]) == (status, code), response.body
    assert set(response.body) - {"existing_id", "existing_ids", "confirm", "lock"} == {"code", "message", "fields"}
    assert response.body["message"].endswith(".")
    assert all(isinstance(message, str) and message for message in response.body["fields"].values())

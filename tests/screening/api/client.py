"""Programs that use the API in tests."""

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
    """An answer of the API: JSON always, else the test ends here."""

    status: int
    body: Any
    headers: Any


class ApiClient:
    """A program with a key of ``user``; None: a stranger."""

    def __init__(self, user: User | None, *, key: str | None = None) -> None:
        text = issue_key(user=user, name="test", by=None)[1] if user is not None else key
        self.client = Client(headers={"Authorization": f"Bearer {text}"} if text else {}, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> ApiResponse:
        """GET, with ``query`` in the address; a whole address is taken as it is."""
        address = path if path.startswith("http") else V1 + path
        return _read(self.client.get(address, query or None))

    def post(self, path: str, body: Any = None) -> ApiResponse:
        """POST of JSON."""
        data = "" if body is None else json.dumps(body, default=str)
        address = path if path.startswith("http") else V1 + path
        return _read(self.client.post(address, data, content_type="application/json"))

    def send(self, path: str, data: bytes | None = None, **fields: Any) -> ApiResponse:
        """POST of a multipart form with a photograph."""
        photo = SimpleUploadedFile(FILE_NAME, photo_bytes() if data is None else data, content_type="image/jpeg")
        return _read(self.client.post(V1 + path, {"photo": photo, **fields}))


def _read(response: Any) -> ApiResponse:
    assert response["Content-Type"] == "application/json", response.content[:200]
    return ApiResponse(response.status_code, response.json(), response.headers)


def assert_is_error(answer: ApiResponse, status: int, code: str) -> None:
    """The answer is an error of the one shape every error has."""
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert set(answer.body) - {"existing_id"} == {"code", "message", "fields"}
    assert answer.body["message"].endswith(".")
    assert all(isinstance(message, str) and message for message in answer.body["fields"].values())

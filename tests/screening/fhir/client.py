"""A client of the FHIR interface, which checks each resource against the models of R4B."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from fhir.resources.R4B import get_fhir_model_class

from screening.models import User
from screening.services.api_keys import issue_key

BASE = "/fhir/"


@dataclass
class FhirResponse:
    """A valid resource."""

    status: int
    body: Any
    headers: Any

    @property
    def resources(self) -> list[Any]:
        """Those of a bundle."""
        return [entry["resource"] for entry in self.body.get("entry", [])]

    def link(self, relation: str) -> str | None:
        """The address of a page of a bundle."""
        return next((link["url"] for link in self.body["link"] if link["relation"] == relation), None)


class FhirClient:
    """Sends requests with a new key of ``user``; without one, unauthenticated."""

    def __init__(self, user: User | None) -> None:
        headers = {"Authorization": f"Bearer {issue_key(user=user, name='test', by=None)[1]}"} if user else {}
        self.client = Client(headers=headers, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> FhirResponse:
        """GET of a path or an absolute URL."""
        return checked(self.client.get(path if path.startswith("http") else BASE + path, query or None))

    def post(self, path: str, **body: Any) -> FhirResponse:
        """POST of a form."""
        form = "application/x-www-form-urlencoded"
        return checked(self.client.post(BASE + path, urlencode(body), content_type=form))


def checked(response: Any) -> FhirResponse:
    """The response, whose resource is valid."""
    assert response["Content-Type"] == "application/fhir+json; charset=utf-8", response.content[:200]
    body = response.json()
    require_valid(body)
    return FhirResponse(response.status_code, body, response.headers)


def require_valid(resource: Any) -> None:
    """Raises ValueError if R4B does not have such a resource."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def assert_is_outcome(response: FhirResponse, status: int, code: str, *, of: str = "") -> None:
    """The response is an OperationOutcome with a message, about the parameter ``of``."""
    assert (response.status, response.body["resourceType"]) == (status, "OperationOutcome"), response.body
    issue = response.body["issue"][0]
    assert issue["code"] == code
    assert issue["diagnostics"].endswith(".")
    assert issue.get("expression", []) == ([f"http.{of}"] if of else [])

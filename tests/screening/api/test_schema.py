"""The OpenAPI schema and its page."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft7Validator

from screening.models import Site, User
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    schema: dict[str, Any] = Client().get("/api/schema/?format=json").json()
    return schema


def test_the_schema_is_valid_without_warnings(tmp_path: Path) -> None:
    warnings = StringIO()
    target = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target), stderr=warnings)
    assert "openapi: 3." in target.read_text()
    assert warnings.getvalue() == ""


def test_every_operation_has_a_summary_and_errors(schema: dict[str, Any]) -> None:
    operations = [(path, operation) for path, item in schema["paths"].items() for operation in item.values()]
    assert len(operations) == 70
    for path, operation in operations:
        assert operation["summary"], path
        assert operation["tags"], path
        assert {"ApiKey": []} in operation["security"]
        assert {"401", "403", "429", "503"} <= operation["responses"].keys()
        assert ("404" in operation["responses"]) == ("{" in path or operation["operationId"] == "open_exam"), path
        assert ("415" in operation["responses"]) == ("requestBody" in operation), path


def test_every_error_is_described(schema: dict[str, Any]) -> None:
    for item in schema["paths"].values():
        for operation in item.values():
            errors = {status for status, response in operation["responses"].items() if int(status) >= 400}
            described = {status for status in errors if operation["responses"][status].get("content")}
            assert described == errors, operation["operationId"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Document", "failure_code"),
        ("DueListEntry", "next_step"),
        ("Finding", "ungradable_reason"),
        ("Image", "withdrawn_code"),
        ("ReadingEye", "ungradable_reason"),
        ("ReferralEvent", "from_state"),
    ],
)
def test_a_choice_of_a_column_that_may_be_empty_may_be_empty(name: str, field: str, schema: dict[str, Any]) -> None:
    assert {"$ref": "#/components/schemas/BlankEnum"} in schema["components"]["schemas"][name]["properties"][field][
        "oneOf"
    ]


def test_the_idempotency_key_is_described_where_it_applies(schema: dict[str, Any]) -> None:
    posts = [item["post"] for item in schema["paths"].values() if "post" in item]
    described = {
        operation["operationId"]
        for operation in posts
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
    }
    assert described == {operation["operationId"] for operation in posts} - {
        "predict",
        "search_patients",
        "suggest_eye",
    }
    for operation in posts:
        assert ("422" in operation["responses"]) == (operation["operationId"] in described)
        assert "400" in operation["responses"], "of a wrong key, or of the body"


def test_photographs_are_files(schema: dict[str, Any]) -> None:
    for path in ("/api/v1/predict", "/api/v1/exams/{exam_id}/images"):
        content = schema["paths"][path]["post"]["requestBody"]["content"]
        assert list(content) == ["multipart/form-data"]
        name = content["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
        assert schema["components"]["schemas"][name]["properties"]["photo"]["format"] == "binary"


def test_no_parameter_of_a_url_is_patient_data(schema: dict[str, Any]) -> None:
    names = {
        parameter["name"]
        for item in schema["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
    }
    ids = {f"{noun}_id" for noun in ("site", "patient", "exam", "image", "grading", "review", "upload", "referral")}
    ids |= {"document_id", "booking_id", "batch_id"}
    filters = {
        "cursor",
        "page_size",
        "status",
        "patient",
        "exam",
        "image",
        "heatmap",
        "model",
        "state",
        "site",
        "urgency",
        "is_late",
        "step",
        "due_by",
        "day",
        "never_screened",
        "type",
    }
    headers = {"Idempotency-Key", "Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset"}
    assert names - headers - {"X-Purpose-Of-Use"} == ids | filters


def test_responses_have_the_keys_of_the_schema(schema: dict[str, Any], client: ApiClient, site: Site) -> None:
    grading = GradingFactory(image__exam__patient__site=site, is_done=True)
    bodies = {
        "Prediction": client.send("predict").body,
        "Model": client.get("model").body,
        "Site": client.get("sites").body[0],
        "Patient": client.get("patients").body["results"][0],
        "Exam": client.get("exams").body["results"][0],
        "Image": client.get("images").body["results"][0],
        "Grading": client.get("gradings").body["results"][0],
        "GradingDetail": client.get(f"gradings/{grading.pk}").body,
    }
    for name, body in bodies.items():
        assert body.keys() == schema["components"]["schemas"][name]["properties"].keys(), name


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON schema, which has no ``nullable``."""
    if isinstance(node, list):
        return [as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    schema = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


@pytest.mark.parametrize("is_revealed", [True, False])
def test_responses_are_valid(is_revealed: bool, schema: dict[str, Any], reviewer: User, site: Site) -> None:
    if not is_revealed:
        Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    client = ApiClient(reviewer)
    withdrawn = {"withdrawn_at": "2026-01-01T00:00Z", "withdrawn_code": "wrong_eye"}
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for changes in ({}, {"is_done": True}, {"is_ungradable": True}, {"is_failed": True}):
        GradingFactory(image=FundusImageFactory(exam=exam), **changes)
    FundusImageFactory(exam=exam, **withdrawn)
    for name, path in {"Patient": "patients", "Exam": "exams", "Image": "images", "Grading": "gradings"}.items():
        rows = client.get(path).body["results"]
        assert rows
        validator = Draft7Validator(as_json_schema({"$ref": f"#/components/schemas/{name}", **schema}))
        assert [error.message for row in rows for error in validator.iter_errors(row)] == [], name


def test_the_model_has_its_version_and_limits(client: ApiClient) -> None:
    body = client.get("model").body
    assert (body["model_version"], body["operating_point"]) == ("fake-1.0.0+00000000", 0.5)
    assert [grade["is_referable"] for grade in body["grades"]] == [False, False, True, True, True]
    assert body["not_graded"] == ["macular_oedema"]
    assert body["metrics"] == {"test": {"referable_auc": 0.9}}
    assert body["photographs"]["max_bytes"] == 50 * 1024 * 1024
    assert all(reason["advice"] for reason in body["quality_reasons"])


@pytest.mark.django_db
def test_the_docs_page_has_local_files_only_and_nothing_inline() -> None:
    response = Client().get("/api/docs/")
    page = response.content.decode()
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", page)
    for path in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert finders.find(path), path


def test_each_operation_has_the_purpose_and_its_refusal(schema: dict[str, Any]) -> None:
    operations = [operation for item in schema["paths"].values() for operation in item.values()]
    for operation in operations:
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("X-Purpose-Of-Use" in names, "400" in operation["responses"]) == (True, True), operation["operationId"]

"""One id from the request to its tasks, in the answer and in every log line; and nothing about a patient."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.http import HttpResponse
from django.test import Client, RequestFactory

from drsite.logs import JsonLinesFormatter, logging_settings
from drsite.request_id import clear_ids, request_id, request_id_middleware, take_request_id, task_id
from screening.models import User

GIVEN = "0123456789abcdef0123456789abcdef"


def line(**changes: Any) -> dict[str, Any]:
    record = logging.LogRecord("screening", logging.WARNING, __file__, 1, "Grading %s waits", ("id-1",), None)
    for name, value in changes.items():
        setattr(record, name, value)
    text = JsonLinesFormatter().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


@pytest.mark.parametrize("given", ["", "short", "Ada Byron, born 1815", "a" * 65, 'x"\n{"level": "ERROR"}', GIVEN])
def test_an_id_is_taken_over_where_it_is_one_and_made_where_it_is_not(given: str) -> None:
    seen = []
    middleware = request_id_middleware(lambda _request: seen.append(request_id.get()) or HttpResponse())  # type: ignore[func-returns-value]
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given
    answer = middleware(request)
    assert answer["X-Request-ID"] == seen[0]
    assert (seen[0] == given) == (given == GIVEN)
    assert len(seen[0]) == 32
    assert request_id.get() == "", "the next request of this thread has its own"


@pytest.mark.django_db
def test_a_request_leaves_one_line_with_ids_and_without_its_address(
    client: Client, photographer: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(photographer)
    with caplog.at_level(logging.INFO, logger="drsite.request_id"):
        client.get("/patients/?q=Byron", headers={"X-Request-ID": GIVEN})
        client.get("/Byron/")
    first, second = [record for record in caplog.records if record.name == "drsite.request_id"]
    told = json.loads(JsonLinesFormatter().format(first))
    assert (told["view"], told["method"], told["status"]) == ("screening:patient-list", "GET", 200)
    assert told["user_id"] == str(photographer.pk)
    assert told["ms"] >= 0
    assert second.__dict__["status"] == 404
    assert "Byron" not in caplog.text + str(told)


def test_a_probe_leaves_no_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="drsite.request_id"):
        assert client.get("/health/live").status_code == 200
    assert not caplog.records


def test_a_line_holds_the_ids_of_request_and_task() -> None:
    outside = line()
    assert outside["message"] == "Grading id-1 waits"
    assert outside["level"] == "WARNING"
    assert not {"request_id", "task_id"} & set(outside)
    take_request_id(task_id="task-1", task=SimpleNamespace(request=SimpleNamespace(request_id=GIVEN)))
    inside = line()
    clear_ids()
    assert (inside["request_id"], inside["task_id"]) == (GIVEN, "task-1")
    assert (request_id.get(), task_id.get()) == ("", "")


def test_what_a_library_attaches_to_a_line_is_dropped() -> None:
    assert "Byron" not in str(line(request="<Request Byron>", patient="Byron"))


def test_an_error_is_told_by_type_and_place_in_one_line() -> None:
    try:
        int("Byron-4711")
    except ValueError:
        told = line(exc_info=sys.exc_info())
    assert "ValueError: [hidden]" in told["error"]
    assert "test_request_id.py" in told["error"]
    assert "Byron" not in str(told)


def test_a_task_is_sent_with_the_id_of_its_request(settings: Any) -> None:
    token = request_id.set(GIVEN)
    try:
        with current_app.connection_for_write("memory://") as connection:
            queue = connection.SimpleQueue("traced")
            current_app.send_task("screening.tasks.requeue_stale_gradings", connection=connection, queue="traced")
            message = queue.get(timeout=5)
    finally:
        request_id.reset(token)
    assert message.headers["request_id"] == GIVEN


@pytest.mark.parametrize(("format_", "formatter"), [("plain", "IdsOnlyFormatter"), ("json", "JsonLinesFormatter")])
def test_either_format_hides_what_errors_say(format_: str, formatter: str) -> None:
    told = logging_settings(format=format_, level="INFO")
    assert told["formatters"]["ids_only"]["()"] == f"drsite.logs.{formatter}"

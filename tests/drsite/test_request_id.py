"""One id for a request, in the response, in its log lines and in its tasks; no personal data."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.http import HttpResponse
from django.test import Client, RequestFactory

from drsite.logs import JsonLinesFormatter
from drsite.request_id import clear_ids, request_id, request_id_middleware, set_ids, task_id
from screening.models import User

GIVEN = "0123456789abcdef0123456789abcdef"


def json_line(**attributes: Any) -> dict[str, Any]:
    record = logging.LogRecord("screening", logging.WARNING, __file__, 1, "Grading %s waits", ("id-1",), None)
    vars(record).update(attributes)
    text = JsonLinesFormatter().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


@pytest.mark.parametrize("given", ["", "short", "Ada Byron, born 1815", "a" * 65, 'x"\n{"level": "ERROR"}', GIVEN])
def test_a_valid_id_is_kept_and_any_other_replaced(given: str) -> None:
    def view(_request: Any) -> HttpResponse:
        return HttpResponse(request_id.get())

    response = request_id_middleware(view)(RequestFactory().get("/", headers={"X-Request-ID": given}))
    used = response["X-Request-ID"]
    assert response.content.decode() == used
    assert (used == given) == (given == GIVEN)
    assert len(used) == 32
    assert request_id.get() == "", "the next request of this thread has another id"


@pytest.mark.django_db
def test_a_request_is_logged_with_ids_and_without_its_path(
    client: Client, photographer: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(photographer)
    with caplog.at_level(logging.INFO, logger="drsite.request_id"):
        client.get("/patients/?q=Byron", headers={"X-Request-ID": GIVEN})
        client.get("/Byron/")
        client.get("/health/live")
    first, second = [record for record in caplog.records if record.name == "drsite.request_id"]
    line = json.loads(JsonLinesFormatter().format(first))
    assert (line["view"], line["method"], line["status"]) == ("screening:patient-list", "GET", 400)
    assert line["user_id"] == str(photographer.pk)
    assert line["ms"] >= 0
    assert vars(second)["status"] == 404
    assert "Byron" not in caplog.text + str(line)


@pytest.mark.parametrize(("given", "expected"), [(GIVEN, GIVEN), ("Ada Byron", None)])
def test_a_log_line_has_the_ids_of_request_and_task(given: str, expected: str | None) -> None:
    outside = json_line(request="<Request Byron>", patient="Byron")
    assert "Byron" not in str(outside), "attributes that libraries add are left out"
    assert (outside["message"], outside["level"]) == ("Grading id-1 waits", "WARNING")
    assert not {"request_id", "task_id"} & set(outside)
    set_ids(task_id="task-1", task=SimpleNamespace(request=SimpleNamespace(request_id=given)))
    inside = json_line()
    clear_ids()
    assert (inside.get("request_id"), inside["task_id"]) == (expected, "task-1")
    assert (request_id.get(), task_id.get()) == ("", "")


def test_an_exception_is_logged_with_type_and_position_in_one_line() -> None:
    try:
        int("Byron-4711")
    except ValueError:
        line = json_line(exc_info=sys.exc_info())
    assert "ValueError: [hidden]" in line["error"]
    assert "test_request_id.py" in line["error"]
    assert "Byron" not in str(line)


def test_a_task_is_sent_with_the_id_of_its_request() -> None:
    token = request_id.set(GIVEN)
    try:
        with current_app.connection_for_write("memory://") as connection:
            queue = connection.SimpleQueue("test")
            current_app.send_task("screening.tasks.requeue_stale_gradings", connection=connection, queue="test")
            message = queue.get(timeout=5)
    finally:
        request_id.reset(token)
    assert message.headers["request_id"] == GIVEN

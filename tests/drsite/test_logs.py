"""Logs and error reports have no user input."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_default_exception_reporter_filter

from drsite.logs import HideCeleryErrorTexts, IdsOnlyFormatter, logging_settings

SECRET = "Byron-Ada-4711"


def leak(patient_name: str) -> None:
    try:
        int(patient_name)
    except ValueError as error:
        raise IntegrityError(f"Key (mrn)=({patient_name}) already exists") from error


@pytest.fixture
def exc_info() -> Any:
    try:
        leak(SECRET)
    except IntegrityError:
        return sys.exc_info()


def test_an_exception_is_logged_with_types_and_frames_and_without_messages(exc_info: Any) -> None:
    record = logging.LogRecord("screening", logging.ERROR, __file__, 1, "Grading %s failed", ("id-1",), exc_info)
    text = IdsOnlyFormatter("%(levelname)s %(message)s").format(record)
    assert SECRET not in text
    assert all(expected in text for expected in ("Grading id-1 failed", "IntegrityError", "ValueError", "in leak"))


def test_messages_of_celery_lose_errors_and_arguments() -> None:
    values = {"name": "grade_image", "id": "id-1", "exc": SECRET, "traceback": SECRET, "args": SECRET, "kwargs": SECRET}
    record = logging.LogRecord("celery", logging.ERROR, __file__, 1, "%(name)s[%(id)s] %(exc)s", (values,), None)
    HideCeleryErrorTexts().filter(record)
    assert record.getMessage() == "grade_image[id-1] [hidden]"
    assert SECRET not in str(record.args)


@pytest.mark.parametrize("is_debug", [False, True])
def test_an_error_report_has_no_form_data_and_no_local_variable(settings: Any, exc_info: Any, is_debug: bool) -> None:
    settings.DEBUG = is_debug
    request = RequestFactory().post("/patients/", {"family_name": SECRET})
    reporter_filter = get_default_exception_reporter_filter()
    assert SECRET not in str(reporter_filter.get_post_parameters(request))
    assert reporter_filter.get_post_parameters(None) == {}
    frames = ExceptionReporter(request, *exc_info).get_traceback_frames()
    variables = [variable for frame in frames for variable in frame["vars"]]
    assert "patient_name" in dict(variables)
    assert SECRET not in str(variables)


def test_all_loggers_use_the_one_handler() -> None:
    configured: dict[str, Any] = django_settings.LOGGING
    for format_, formatter in (("plain", "IdsOnlyFormatter"), ("json", "JsonLinesFormatter")):
        assert (
            logging_settings(format=format_, level="INFO")["formatters"]["ids_only"]["()"] == f"drsite.logs.{formatter}"
        )
    assert list(configured["handlers"]) == ["console"]
    assert configured["handlers"]["console"]["formatter"] == "ids_only"
    assert not any(values.get("handlers") for values in configured["loggers"].values())
    assert not logging.getLogger("django").handlers
    assert logging.getLogger("django.db.backends").getEffectiveLevel() >= logging.WARNING, "it would log statements"

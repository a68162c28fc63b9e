"""Logs and error reports never hold what somebody typed."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError
from django.http import HttpRequest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_default_exception_reporter_filter

from drsite.logs import HideCeleryErrorTexts, IdsOnlyFormatter

SECRET = "Byron-Ada-4711"


def leak(patient_name: str) -> None:
    try:
        int(patient_name)
    except ValueError as error:
        raise IntegrityError(f"Key (mrn)=({patient_name}) already exists") from error


def caught() -> Any:
    try:
        leak(SECRET)
    except IntegrityError:
        return sys.exc_info()
    return None


def test_a_log_names_the_type_and_the_place_of_an_error_and_not_its_words() -> None:
    record = logging.LogRecord("screening", logging.ERROR, __file__, 1, "Grading %s failed", ("id-1",), caught())
    text = IdsOnlyFormatter("%(levelname)s %(message)s").format(record)
    assert SECRET not in text
    assert "Grading id-1 failed" in text
    assert "IntegrityError" in text
    assert "ValueError" in text
    assert "in leak" in text


def test_celerys_own_messages_lose_the_errors_words_and_the_arguments() -> None:
    told = {"name": "grade_image", "id": "id-1", "exc": SECRET, "traceback": SECRET, "args": SECRET, "kwargs": SECRET}
    record = logging.LogRecord(
        "celery.app.trace", logging.ERROR, __file__, 1, "%(name)s[%(id)s] %(exc)s", (told,), None
    )
    HideCeleryErrorTexts().filter(record)
    assert record.getMessage() == "grade_image[id-1] [hidden]"
    assert SECRET not in str(record.args)


@pytest.mark.parametrize("is_debug", [False, True])
def test_an_error_report_holds_no_parameter_and_no_local_variable(settings: Any, is_debug: bool) -> None:
    settings.DEBUG = is_debug
    request: HttpRequest = RequestFactory().post("/patients/", {"family_name": SECRET})
    kept = get_default_exception_reporter_filter()
    assert SECRET not in str(kept.get_post_parameters(request))
    frames = ExceptionReporter(request, *caught()).get_traceback_frames()
    names = {name for frame in frames for name, _value in frame["vars"]}
    assert "patient_name" in names
    assert not any(SECRET in str(value) for frame in frames for _name, value in frame["vars"])


def test_a_report_without_a_request_is_empty() -> None:
    assert get_default_exception_reporter_filter().get_post_parameters(None) == {}


def test_every_log_goes_through_the_formatter_and_nothing_is_mailed() -> None:
    logging_settings: dict[str, Any] = django_settings.LOGGING
    assert list(logging_settings["handlers"]) == ["console"]
    assert logging_settings["handlers"]["console"]["formatter"] == "ids_only"
    assert all(not values.get("handlers") for values in logging_settings["loggers"].values())
    assert not any(handler for handler in logging.getLogger("django").handlers)


def test_statements_with_their_values_are_never_logged() -> None:
    assert logging.getLogger("django.db.backends").getEffectiveLevel() >= logging.WARNING

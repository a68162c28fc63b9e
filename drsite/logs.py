"""Logs and error reports that hold ids and places in the code, never a patient's data.

An exception's own words may quote what somebody typed: PostgreSQL answers a duplicate with
``Key (site_id, mrn)=(..., 12345) already exists``. So logs keep the type of an exception and where it happened,
and drop its message.
"""

import datetime
import json
import logging
import traceback
from collections.abc import ItemsView, Mapping
from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from drsite.request_id import request_id, task_id

HIDDEN = "[hidden]"
_CELERY_ERROR_TEXTS = ("exc", "traceback", "return_value", "args", "kwargs", "internal")
EXTRAS = ("method", "view", "status", "ms", "user_id")
"""What a record may carry beside its message: codes, numbers and ids. Anything else a library attaches is dropped."""


class IdsOnlyFormatter(logging.Formatter):
    """A log line without the message of an exception: its type, and the file, line and function of each frame."""

    def formatException(  # noqa: N802 (the name is logging's)
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}: {HIDDEN}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


class JsonLinesFormatter(IdsOnlyFormatter):
    """One JSON object a line, with the ids of the request and of the task it was written in."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        ids = {"request_id": request_id.get(), "task_id": task_id.get()}
        line |= {name: value for name, value in ids.items() if value}
        line |= {name: getattr(record, name) for name in EXTRAS if getattr(record, name, None) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class HideCeleryErrorTexts(logging.Filter):
    """Blank the parts of Celery's own messages that repeat an exception's words or a task's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping):
            record.args = {key: HIDDEN if key in _CELERY_ERROR_TEXTS else value for key, value in record.args.items()}
        return True


class HideEverythingTyped(SafeExceptionReporterFilter):
    """Error reports without request parameters and local variables, in debug mode too."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if request is None else dict.fromkeys(request.POST, HIDDEN)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, HIDDEN).items()


def logging_settings(*, format: str, level: str) -> dict[str, Any]:  # noqa: A002 (as logging calls it)
    """Django's ``LOGGING``: everything to one handler, ``format`` "json" or "plain". Raises KeyError for another."""
    formatters: dict[str, dict[str, Any]] = {
        "plain": {"()": "drsite.logs.IdsOnlyFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "drsite.logs.JsonLinesFormatter"},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"celery_texts": {"()": "drsite.logs.HideCeleryErrorTexts"}},
        "formatters": {"ids_only": formatters[format]},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "ids_only", "filters": ["celery_texts"]}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # NB: Django's own defaults mail the whole request to ADMINS; here everything goes to the one handler above.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # A refused request is noted by drsite.request_id; this logger would add the address as somebody typed it.
            "django.request": {"level": "ERROR"},
            # With DEBUG this logger would print each statement with its values, names and numbers among them.
            "django.db.backends": {"level": "WARNING"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "axes": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
        },
    }

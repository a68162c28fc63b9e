"""Logs and error reports without personal data: ids, and positions in the code.

The message of an exception may quote user input: PostgreSQL reports a duplicate as
``Key (site_id, mrn)=(..., 12345) already exists``. So logs have the type and the traceback of an exception only.
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
EXTRA_FIELDS = ("method", "view", "status", "ms", "user_id")
"""Codes, numbers and ids. Other attributes that libraries add to a log record are left out."""


class IdsOnlyFormatter(logging.Formatter):
    """Log lines with type and traceback of exceptions, and without their messages."""

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
    """One JSON object a line, with the ids of the current request and task."""

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
        line |= {name: getattr(record, name) for name in EXTRA_FIELDS if getattr(record, name, None) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class HideCeleryErrorTexts(logging.Filter):
    """Replace exceptions and task arguments in the log messages of Celery."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping):
            record.args = {key: HIDDEN if key in _CELERY_ERROR_TEXTS else value for key, value in record.args.items()}
        return True


class HideUserInput(SafeExceptionReporterFilter):
    """Error reports without form data and local variables, in debug mode too."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if request is None else dict.fromkeys(request.POST, HIDDEN)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, HIDDEN).items()


def logging_settings(*, format: str, level: str) -> dict[str, Any]:  # noqa: A002 (as logging calls it)
    """Value of Django's LOGGING: one handler on standard error. ``format`` is "json" or "plain"."""
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
            # NB: the default handlers of Django mail the whole request to ADMINS.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Its warnings have the path as it was typed; drsite.request_id logs each request without it.
            "django.request": {"level": "ERROR"},
            # With DEBUG it logs each statement with its values.
            "django.db.backends": {"level": "WARNING"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "axes": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            # Its warnings have letters of a document, which may be a patient's name.
            "weasyprint": {"level": "CRITICAL"},
            "fontTools": {"level": "ERROR"},
        },
    }

"""Logs and error reports that hold ids and places in the code, never a patient's data.

An exception's own words may quote what somebody typed: PostgreSQL answers a duplicate with
``Key (site_id, mrn)=(..., 12345) already exists``. So logs keep the type of an exception and where it happened,
and drop its message.
"""

import logging
import traceback
from collections.abc import ItemsView, Mapping
from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

HIDDEN = "[hidden]"
_CELERY_ERROR_TEXTS = ("exc", "traceback", "return_value", "args", "kwargs", "internal")


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

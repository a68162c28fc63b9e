"""Messages that the next page shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.urls import reverse
from django.utils.http import urlencode

from screening.services.exams import ExamError
from screening.views.decorators import AuthenticatedRequest


@contextmanager
def report_exam_errors(request: AuthenticatedRequest, *, success: str, undo: str = "") -> Iterator[None]:
    """Show ``success``, or the ExamError that the block raises, on the next page; ``undo``: of ``undo_by``."""
    try:
        yield
    except ExamError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success, extra_tags=undo)


def undo_by(route: str, *args: Any, **fields: str) -> str:
    """What a message offers as *Undo*: the form that reverses the action, sent to ``route`` with these fields."""
    return f"{reverse(route, args=args)}?{urlencode(fields)}"

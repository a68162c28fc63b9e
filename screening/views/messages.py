"""Messages that the next page shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages

from screening.services.exams import ExamError
from screening.views.decorators import AuthenticatedRequest


@contextmanager
def report_exam_errors(request: AuthenticatedRequest, *, success: str) -> Iterator[None]:
    """Show ``success``, or the ExamError that the block raises, on the next page."""
    try:
        yield
    except ExamError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success)

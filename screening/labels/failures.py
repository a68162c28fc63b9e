"""Failures: why a grading failed, and what the user can do."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class FailureCode(StrEnum):
    """Why a grading failed."""

    UNREADABLE = "unreadable"
    FILE_MISSING = "file_missing"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    TIME_LIMIT = "time_limit"
    WORKER_LOST = "worker_lost"
    MODEL_CHANGED = "model_changed"
    MODEL_UNAVAILABLE = "model_unavailable"
    UNEXPECTED = "unexpected"


STORAGE_MESSAGE = _(
    "Files cannot be stored or read: the storage is full or cannot be used. Nothing was changed. "
    "Tell your administrator, then try again."
)
"""For a request that failed because of the storage of photographs, or of uploads in progress."""
UNEXPECTED_MESSAGE = _("An unexpected error occurred. Try again; if it recurs, tell your administrator.")
"""For a request of a program that failed for an unknown reason."""
FAILURE_LABELS: dict[FailureCode, "_StrPromise"] = {
    FailureCode.UNREADABLE: _("The photograph could not be read."),
    FailureCode.FILE_MISSING: _("The stored photograph is missing."),
    FailureCode.STORAGE_UNAVAILABLE: _("The stored photograph could not be fetched."),
    FailureCode.TIME_LIMIT: _("Grading took too long and was stopped."),
    FailureCode.WORKER_LOST: _("Grading was interrupted three times."),
    FailureCode.MODEL_CHANGED: _("The model was replaced while this photograph waited."),
    FailureCode.MODEL_UNAVAILABLE: _("The model that this site uses cannot be loaded; no other one graded."),
    FailureCode.UNEXPECTED: _("Grading failed unexpectedly."),
}
FAILURE_ADVICE: dict[FailureCode, "_StrPromise"] = {
    FailureCode.UNREADABLE: _("Take it again, or upload another file."),
    FailureCode.FILE_MISSING: _("Upload it again and tell your manager."),
    FailureCode.STORAGE_UNAVAILABLE: _("Try again; if it fails again, tell your manager."),
    FailureCode.TIME_LIMIT: _("Try again in a minute."),
    FailureCode.WORKER_LOST: _("Try again; if it fails again, tell your manager."),
    FailureCode.MODEL_CHANGED: _("The new model grades it now."),
    FailureCode.MODEL_UNAVAILABLE: _("Tell your manager: an administrator can go back to the released model."),
    FailureCode.UNEXPECTED: _("Try again; if it fails again, tell your manager."),
}
FAILURE_CHOICES = choices(FAILURE_LABELS)


def failure_text(code: str) -> str:
    """What failed and what to do about it; empty for the empty code."""
    return f"{FAILURE_LABELS[FailureCode(code)]} {FAILURE_ADVICE[FailureCode(code)]}" if code else ""

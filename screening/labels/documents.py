"""Documents in words: kinds, states, and why one could not be made."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class DocumentFailure(StrEnum):
    """Why a document could not be made."""

    ENGINE_UNAVAILABLE = "engine_unavailable"
    LETTERS_MISSING = "letters_missing"
    PHOTO_MISSING = "photo_missing"
    DATA_CHANGED = "data_changed"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    TIME_LIMIT = "time_limit"
    WORKER_LOST = "worker_lost"
    UNEXPECTED = "unexpected"


class Standing(StrEnum):
    """Whether a document still holds."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    IN_ERROR = "in_error"


FAILURE_TEXTS: dict[DocumentFailure, "_StrPromise"] = {
    DocumentFailure.ENGINE_UNAVAILABLE: _(
        "Documents cannot be made on this server, because Pango is not installed. Ask the administrator to install "
        "it, then make the document again."
    ),
    DocumentFailure.LETTERS_MISSING: _(
        "No font of this server has some of the letters. Ask the administrator to install fonts for the scripts of "
        "your patients, then make the document again."
    ),
    DocumentFailure.PHOTO_MISSING: _(
        "The file of a photograph could not be read. Tell the administrator, then make the document again."
    ),
    DocumentFailure.DATA_CHANGED: _("The record was changed while the document was made. Make it again."),
    DocumentFailure.STORAGE_UNAVAILABLE: _("The document could not be stored. Make it again in a few minutes."),
    DocumentFailure.TIME_LIMIT: _("The document took too long. Make it again."),
    DocumentFailure.WORKER_LOST: _("The work on the document was interrupted. Make it again."),
    DocumentFailure.UNEXPECTED: _(
        "The document could not be made. Make it again; if it happens again, tell your administrator."
    ),
}
FAILURE_CHOICES = choices(FAILURE_TEXTS)
STANDING_LABELS: dict[Standing, "_StrPromise"] = {
    Standing.CURRENT: _("This document is valid."),
    Standing.SUPERSEDED: _("This document is superseded: there is a newer one. Do not act on this one."),
    Standing.IN_ERROR: _("This document was entered in error. Do not act on it."),
}

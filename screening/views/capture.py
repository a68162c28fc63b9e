"""What the script of the exam page needs to take photographs."""

from typing import Any

from ml.eye_names import EYE_NAMES
from screening.forms import PHOTO_TYPES
from screening.labels.fields import FIELD_NAMES
from screening.models import Exam, PhotoUpload, User
from screening.photos.validation import MAX_BYTES, MAX_PIXELS, rejection_message
from screening.selectors.uploads import list_complete_uploads
from screening.views.eye_cards import EyeCard

_REFUSALS = ("empty", "not_a_photograph", "too_large", "too_many_pixels")
ACCEPTED_TYPES = f"{PHOTO_TYPES},application/zip,.zip"


def capture_context(user: User, exam: Exam, eyes: tuple[EyeCard, EyeCard]) -> dict[str, Any]:
    """Context of ``screening/exams/_upload.html``. One query."""
    newest = max((photo.image for eye in eyes for photo in eye.photos), key=lambda one: one.created_at, default=None)
    return {
        "pupil": "" if newest is None else newest.pupil,
        "capture_facts": {
            "limits": {"maxBytes": MAX_BYTES, "maxPixels": MAX_PIXELS},
            "refusals": {code: rejection_message(code) for code in _REFUSALS},
            "eye_names": {eye.value: sorted(names) for eye, names in EYE_NAMES.items()},
            "field_names": FIELD_NAMES,
            "uploads": [_facts(upload) for upload in list_complete_uploads(user=user, exam=exam)],
        },
    }


def _facts(upload: PhotoUpload) -> dict[str, str]:
    return {"id": str(upload.pk), "laterality": upload.laterality, "field": upload.field}

"""Records that an address names: what audit events of requests store about them."""

import uuid
from typing import Any

from screening.access import Action, restrict
from screening.models import (
    Booking,
    DataImport,
    Document,
    Exam,
    FundusImage,
    Grading,
    Message,
    Patient,
    PhotoUpload,
    Referral,
    Regrading,
    Review,
    Site,
    TeachingCase,
    TeachingCertificate,
    TeachingSet,
    User,
)
from screening.site_paths import TEACHING_MODELS

_PATH_OF_SITE: dict[str, tuple[Any, str]] = {
    "site_id": (Site, "pk"),
    "patient_id": (Patient, "site"),
    "exam_id": (Exam, "site"),
    "image_id": (FundusImage, "exam__site"),
    "grading_id": (Grading, "image__exam__site"),
    "upload_id": (PhotoUpload, "exam__site"),
    "document_id": (Document, "site"),
    "referral_id": (Referral, "site"),
    "regrading_id": (Regrading, "site"),
    "import_id": (DataImport, "site"),
    "message_id": (Message, "site"),
    "booking_id": (Booking, "site"),
    "review_id": (Review, "exam__site"),
    "set_id": (TeachingSet, "site"),
    "case_id": (TeachingCase, "teaching_set__site"),
    "certificate_id": (TeachingCertificate, "teaching_set__site"),
}


def addressed_record(kwargs: dict[str, Any]) -> tuple[str, str]:
    """Name and id of the record in the address; the panel's is text that a user typed, so only an id is kept."""
    for name in _PATH_OF_SITE:
        if name in kwargs:
            return name, str(kwargs[name])
    try:
        return ("object_id", str(uuid.UUID(kwargs["object_id"]))) if "object_id" in kwargs else ("", "")
    except ValueError:
        return "object_id", ""


def site_of_addressed(name: str, record_id: str) -> Site | None:
    """The site of a record that ``addressed_record`` named; None if it has none or does not exist."""
    if name not in _PATH_OF_SITE:
        return None
    model, path = _PATH_OF_SITE[name]
    return Site.objects.filter(pk__in=model.objects.filter(pk=record_id).values(path)).first()


def is_at_site_of(user: User, name: str, record_id: str) -> bool:
    """Whether a record that ``addressed_record`` named is of a site whose exams the user sees; True without one."""
    if name not in _PATH_OF_SITE:
        return True
    model: Any = _PATH_OF_SITE[name][0]
    action = Action.VIEW_TEACHING_SET if model in TEACHING_MODELS else Action.VIEW_CASE
    return restrict(model.objects.filter(pk=record_id), user, action).exists()

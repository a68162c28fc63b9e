"""Predictions: a photograph is graded and not stored."""

import hashlib
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ml.prediction import Prediction
from ml.serving.files.dicom_header import NO_HEADER
from ml.vocabulary import Laterality, ServedModel
from screening.access import AccessDenied, Action, require
from screening.models import AuditEvent, Exam, User
from screening.photos import validation
from screening.photos.decode_lock import large_image_lock
from screening.selectors.sites import default_model
from screening.services import inference
from screening.services.audit import record_event
from screening.services.duplicates import Content, content_of, find_readable


@dataclass(frozen=True, slots=True)
class EyeSuggestion:
    """The eye that a photograph shows; None if that is not clear. ``confidence`` in [0, 1] of the likelier eye.

    ``is_from_file``: a DICOM file states the eye; the confidence is then None. ``field`` is empty if no file states it.
    """

    laterality: Laterality | None
    confidence: float | None
    is_from_file: bool = False
    field: str = ""


class ResultHidden(AccessDenied):
    """The model's result for a photograph that the user has yet to read blind."""


def predict_photo(*, data: bytes, model: ServedModel, by: User) -> Prediction:
    """Grade one photograph. Only an audit event is stored.

    If it is the picture of a stored photograph of the user's sites, the event refers to that.
    Raises InvalidPhoto, GradingError, AccessDenied; ResultHidden if the user has yet to read that photograph.
    """
    require(by, Action.PREDICT_PHOTO)
    photo = validation.validate(data)
    content = content_of(photo, sha256=hashlib.sha256(data).hexdigest())
    _require_revealed(content, model, by)
    prediction = _predict(photo, model)
    copy_of = find_readable(content=content, by=by, is_hidden=False)
    record_event(
        verb=AuditEvent.Verb.PHOTO_PREDICTED,
        subject=copy_of,
        site=None if copy_of is None else copy_of.exam.site,
        data={
            "model_version": prediction.model_version,
            "is_gradable": prediction.is_gradable,
            "sha256": content.sha256,
        },
        by=by,
    )
    return prediction


def _require_revealed(content: Content, model: ServedModel, by: User) -> None:
    hidden = find_readable(content=content, by=by, is_hidden=True)
    if hidden is None:
        return
    record_event(
        verb=AuditEvent.Verb.PHOTO_PREDICTED,
        subject=hidden,
        site=hidden.exam.site,
        data={"model_version": inference.current_bundle(model).model_version, "is_hidden": True},
        by=by,
    )
    raise ResultHidden(
        _(
            "This photograph is in an exam that you have not read yet. The model's result is shown with the exam after "
            "your first reading, or once the exam is signed."
        )
    )


def suggest_eye(*, exam: Exam, data: bytes, by: User) -> EyeSuggestion:
    """The eye of a photograph before it is attached to an exam: as a DICOM file states it, else as it is recognised.

    Only an audit event is stored.

    Raises InvalidPhoto, GradingError, AccessDenied.
    """
    require(by, Action.UPLOAD_IMAGE, exam.site)
    photo = validation.validate(data)
    header = photo.dicom or NO_HEADER
    if header.laterality is not None:
        suggestion = EyeSuggestion(header.laterality, None, is_from_file=True, field=header.field)
        source = {"source": "dicom"}
    else:
        prediction = _predict(photo, default_model())
        suggestion = EyeSuggestion(prediction.laterality, prediction.laterality_confidence, field=header.field)
        source = {"model_version": prediction.model_version}
    record_event(
        verb=AuditEvent.Verb.EYE_SUGGESTED,
        subject=exam,
        site=exam.site,
        data={**source, "laterality": suggestion.laterality or ""},
        by=by,
    )
    return suggestion


def _predict(photo: validation.ValidPhoto, model: ServedModel) -> Prediction:
    with large_image_lock(photo.width_px * photo.height_px), validation.invalid_photo_if_refused():
        return inference.current_grader(model).grade(photo.cleaned)

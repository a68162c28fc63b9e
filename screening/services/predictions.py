"""Predictions: a photograph is graded and not stored."""

from ml.prediction import Prediction
from screening.access import Action, require
from screening.models import AuditEvent, User
from screening.photos import validation
from screening.photos.decode_lock import large_image_lock
from screening.services import inference
from screening.services.audit import record_event
from screening.services.duplicates import find_duplicate


def predict_photo(*, data: bytes, by: User) -> Prediction:
    """Grade one photograph. Only an audit event is stored.

    If the file is a copy of a stored photograph of the user's sites, the event refers to it: the audit trail then shows
    a reviewer who gets the model's grade here before the blind reading.
    Raises InvalidPhoto, GradingError, AccessDenied.
    """
    require(by, Action.PREDICT_PHOTO)
    photo = validation.validate(data)
    with large_image_lock(photo.width_px * photo.height_px):
        prediction = inference.current_grader().grade(photo.cleaned)
    copy_of = find_duplicate(data=data, photo=photo, of=by)
    record_event(
        verb=AuditEvent.Verb.PHOTO_PREDICTED,
        subject=copy_of,
        site=None if copy_of is None else copy_of.exam.site,
        data={"model_version": prediction.model_version, "is_gradable": prediction.is_gradable},
        by=by,
    )
    return prediction

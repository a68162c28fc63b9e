"""Shadow gradings: a registered bundle grades photographs too, and no reader sees what it found.

They have the lowest priority: a task grades for SLICE_S seconds, and stops as soon as a photograph waits for the model
in use. ``(image, bundle)`` is unique, so that two workers grade once; an interrupted one is graded again.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from ml.errors import BundleError, DecoderUnavailable, GradingError
from ml.prediction import Prediction
from screening.labels.failures import FailureCode
from screening.models import FundusImage, Grading, RegisteredBundle, ShadowGrading, SiteShadow
from screening.selectors.shadows import active_shadows, images_to_shadow
from screening.services import inference
from screening.services.active_bundles import version_in_use
from screening.services.bundles import registered_folder

logger = logging.getLogger(__name__)
SLICE_S = 15.0
MAX_ATTEMPTS = 3
_CHUNK = 20


def is_grading_waiting() -> bool:
    """Whether a photograph waits for the model in use. Bulk counts too: it comes before shadows and re-gradings."""
    return Grading.objects.filter(status=Grading.Status.QUEUED).exists()


def grade_shadows() -> int:
    """Grade photographs of the sites in shadow mode. Returns how many."""
    until, n_graded = time.monotonic() + SLICE_S, 0
    for shadow in active_shadows():
        try:
            n_graded += _grade_site(shadow, until)
        except BundleError:
            logger.exception("The registered bundle %s cannot be used: shadow mode rests", shadow.bundle)
    return n_graded


def _grade_site(shadow: SiteShadow, until: float) -> int:
    bundle, n_graded = shadow.bundle, 0
    assert bundle is not None  # noqa: S101 (for the type: an active shadow has one)
    if version_in_use(shadow.site) == bundle.model_version:
        return 0  # it is active: its gradings are those of the site
    for row in _stale(bundle):
        if time.monotonic() >= until or is_grading_waiting():
            return n_graded
        n_graded += _grade_again(row)
    while images := list(images_to_shadow(shadow)[:_CHUNK]):
        for image in images:
            if time.monotonic() >= until or is_grading_waiting():
                return n_graded
            n_graded += _grade_image(image, bundle)
    return n_graded


def _stale(bundle: RegisteredBundle) -> "QuerySet[ShadowGrading]":
    before = Now() - timedelta(seconds=settings.GRADING_STALE_AFTER_S)
    running = ShadowGrading.objects.filter(bundle=bundle, status=ShadowGrading.Status.RUNNING, started_at__lt=before)
    return running.select_related("image")


def _grade_image(image: FundusImage, bundle: RegisteredBundle) -> int:
    grader = inference.registered_grader(registered_folder(bundle), bundle.description_sha256)
    try:
        with transaction.atomic():
            row = ShadowGrading.objects.create(image=image, bundle=bundle, started_at=Now())
    except IntegrityError:  # another worker was first
        return 0
    _finish(row, grader, image)
    return 1


def _grade_again(row: ShadowGrading) -> int:
    """Grade once more what a worker left behind; it fails after the last attempt."""
    grader = inference.registered_grader(registered_folder(row.bundle), row.bundle.description_sha256)
    claimed = ShadowGrading.objects.filter(pk=row.pk, status=ShadowGrading.Status.RUNNING, n_attempts=row.n_attempts)
    if row.n_attempts >= MAX_ATTEMPTS:
        claimed.update(
            status=ShadowGrading.Status.FAILED, failure_code=FailureCode.WORKER_LOST.value, finished_at=Now()
        )
        return 0
    if not claimed.update(n_attempts=F("n_attempts") + 1, started_at=Now()):
        return 0
    row.n_attempts += 1
    _finish(row, grader, row.image)
    return 1


def _finish(row: ShadowGrading, grader: Any, image: FundusImage) -> None:
    values: dict[str, object]
    try:
        with image.file.open("rb") as file:
            values = _result(grader.grade(bytes(file.read())))
    except GradingError:
        values = _failed(FailureCode.UNREADABLE)
    except FileNotFoundError:
        values = _failed(FailureCode.FILE_MISSING)
    except DecoderUnavailable:
        return  # it is graded again once it is stale
    ShadowGrading.objects.filter(pk=row.pk, n_attempts=row.n_attempts).update(finished_at=Now(), **values)


def _failed(code: FailureCode) -> dict[str, object]:
    return {"status": ShadowGrading.Status.FAILED, "failure_code": code.value}


def _result(prediction: Prediction) -> dict[str, object]:
    return {
        "status": ShadowGrading.Status.DONE,
        "is_gradable": prediction.is_gradable,
        "grade": None if prediction.grade is None else int(prediction.grade),
        "p_referable": prediction.p_referable,
        "is_referable": prediction.is_referable,
        "suspects_oedema": prediction.suspects_oedema,
    }

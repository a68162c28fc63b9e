"""Re-gradings as jobs: beginning, pausing, resuming, cancelling, and the work on them.

A new grading is a row beside the old one; signed results never change. The work has the lowest priority: a task grades
for SLICE_S seconds and stops as soon as a photograph waits. A crash between two photographs, or within one, loses
nothing: ``(regrading, image)`` and ``(image, model_version)`` are unique, and the old grading is stored first.
"""

import logging
import time
import uuid
from datetime import date

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.access import Action, require
from screening.labels.limits import too_long
from screening.models import AuditEvent, Grading, RegradedImage, Regrading, Site, User
from screening.models.base import max_length
from screening.models.gradings import current_first
from screening.policy.regradings import MAX_IMAGES, OPEN_STATES, TRANSITIONS, RegradingAction, RegradingState
from screening.selectors.regradings import images_of_period
from screening.services.active_bundles import grader_in_use, version_in_use
from screening.services.audit import record_event
from screening.services.gradings import run_grading
from screening.services.shadow_gradings import is_grading_waiting

logger = logging.getLogger(__name__)
SLICE_S = 15.0
_BATCH = 1000


class RegradingRefused(ValueError):
    """It cannot be begun, or not be changed any more. The message is for the user."""


@transaction.atomic
def begin_regrading(
    *,
    site: Site,
    model: ServedModel,
    from_on: date,
    to_on: date,
    reason: str,
    regrading_id: uuid.UUID,
    by: User,
) -> Regrading:
    """Begin a job for the photographs of a period; the same form sent twice returns the job that there is.

    Raises RegradingRefused, AccessDenied.
    """
    require(by, Action.MANAGE_SITE, site)
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    existing = Regrading.objects.filter(pk=regrading_id, site=site, created_by=by).first()
    if existing is not None:
        return existing
    _require_possible(site, from_on, to_on, reason.strip())
    images = list(images_of_period(site, from_on, to_on).order_by("created_at", "pk").values_list("pk", flat=True))
    if not images:
        raise RegradingRefused(_("There is no photograph of these days. Choose others."))
    if len(images) > MAX_IMAGES:
        text = _("These days have %(n)d photographs; one re-grading takes %(most)d. Choose fewer days.")
        raise RegradingRefused(text % {"n": len(images), "most": MAX_IMAGES})
    version = version_in_use(site, model)
    row = Regrading.objects.create(
        id=regrading_id, site=site, model=model.value, model_version=version, from_on=from_on, to_on=to_on,
        n_images=len(images), reason=reason.strip(), created_by=by,
    )  # fmt: skip
    RegradedImage.objects.bulk_create(
        [RegradedImage(regrading=row, image_id=image) for image in images], batch_size=_BATCH
    )
    data: dict[str, str | float | bool | None] = {"model_version": version, "n_images": len(images)}
    record_event(verb=AuditEvent.Verb.REGRADING_BEGUN, subject=row, site=site, data=data, by=by)
    return row


def _require_possible(site: Site, from_on: date, to_on: date, reason: str) -> None:
    if not reason:
        raise RegradingRefused(_("Enter the reason for the change."))
    if len(reason) > max_length(Regrading, "reason"):
        raise RegradingRefused(too_long(max_length(Regrading, "reason")))
    if to_on < from_on:
        raise RegradingRefused(_("The last day is before the first one."))
    if Regrading.objects.filter(site=site, state__in=OPEN_STATES).exists():
        raise RegradingRefused(_("A re-grading of this site is open. Wait until it ends, or cancel it."))


@transaction.atomic
def change_regrading(*, regrading: Regrading, action: RegradingAction, by: User) -> None:
    """Pause, resume or cancel a job; what it graded stays. Raises RegradingRefused, AccessDenied."""
    require(by, Action.MANAGE_SITE, regrading.site)
    for before, after in TRANSITIONS[action].items():
        values = {"state": after.value} | ({} if after in OPEN_STATES else {"finished_at": Now()})
        if Regrading.objects.filter(pk=regrading.pk, state=before.value).update(**values):
            data: dict[str, str | float | bool | None] = {"state": after.value}
            record_event(
                verb=AuditEvent.Verb.REGRADING_CHANGED, subject=regrading, site=regrading.site, data=data, by=by
            )
            return
    raise RegradingRefused(_("Its state has changed meanwhile. Reload the page."))


def work_on_regradings() -> int:
    """Grade photographs of the jobs that run, the oldest job first. Returns how many."""
    until, n_graded = time.monotonic() + SLICE_S, 0
    rows = Regrading.objects.filter(state=RegradingState.RUNNING.value).select_related("site")
    for row in rows.order_by("created_at", "id"):
        try:
            n_graded += _work_on(row, until)
        except BundleError:
            logger.exception("The model of re-grading %s cannot be loaded: it rests", row.pk)
    return n_graded


def _work_on(regrading: Regrading, until: float) -> int:
    model = ServedModel(regrading.model)
    if version_in_use(regrading.site, model) != regrading.model_version:
        _end(regrading, RegradingState.FAILED)
        return 0
    grader_in_use(regrading.site, model)  # now: without it the job rests, and no photograph fails
    n_graded = 0
    while True:
        if time.monotonic() >= until or is_grading_waiting() or not _is_running(regrading):
            return n_graded
        waiting = RegradedImage.objects.filter(regrading=regrading, finished_at__isnull=True).select_related("image")
        item = waiting.order_by("pk").first()
        if item is None:
            _end(regrading, RegradingState.DONE)
            return n_graded
        if not _regrade(item, regrading):
            return n_graded
        n_graded += 1


def _is_running(regrading: Regrading) -> bool:
    return Regrading.objects.filter(pk=regrading.pk, state=RegradingState.RUNNING.value).exists()


def _end(regrading: Regrading, state: RegradingState) -> None:
    rows = Regrading.objects.filter(pk=regrading.pk, state=RegradingState.RUNNING.value)
    rows.update(state=state.value, finished_at=Now())


def _regrade(item: RegradedImage, regrading: Regrading) -> bool:
    """Grade a photograph; False while another worker does, or did before it crashed: then it is queued once stale."""
    if item.begun_at is None:
        done = item.image.gradings.filter(status=Grading.Status.DONE)
        not_begun = RegradedImage.objects.filter(pk=item.pk, begun_at__isnull=True)  # by another worker meanwhile
        not_begun.update(old_grading=current_first(done).first(), begun_at=Now())
    grading, _is_new = Grading.objects.get_or_create(
        image=item.image,
        model_version=regrading.model_version,
        defaults={"model": regrading.model, "queued_at": Now(), "queue_site": regrading.site, "is_bulk": True},
    )
    if grading.status == Grading.Status.QUEUED:
        run_grading(grading_id=grading.pk)
        grading.refresh_from_db(fields=["status"])
    if grading.is_pending:
        return False
    RegradedImage.objects.filter(pk=item.pk).update(new_grading=grading, finished_at=Now())
    return True

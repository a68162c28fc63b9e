"""Whose photograph a worker grades next: interactive before bulk, then the site whose last claim is longest ago.

A message to the workers names no photograph: it says that one more waits. The order is in the database, so that a batch
of one site does not delay another site, in any order of the messages. Only gradings for which a message was
sent are taken; so each finds a message, also after one was queued again.
"""

import logging

from celery import current_app
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from screening.models import Grading, Site, SiteThreshold
from screening.services.active_bundles import active_bundle_id

logger = logging.getLogger(__name__)

GRADE_NEXT_TASK = "screening.tasks.grade_next"
"""Published by name: the module of the tasks imports the services."""


def publish(grading: Grading) -> bool:
    """Send a message to the workers: the first to receive it may grade this photograph. False if it was not sent.

    NB: the row has its ``published_at`` since it was queued. If the broker is unavailable it is deleted, the grading
    stays QUEUED, and ``requeue_stale_gradings`` sends it later; so it is too if this process ends before it has sent.
    """
    try:
        current_app.send_task(GRADE_NEXT_TASK, retry=False)
    except OperationalError:
        Grading.objects.filter(pk=grading.pk, status=Grading.Status.QUEUED).update(published_at=None)
        grading.published_at = None
        logger.warning("The broker is unavailable: grading %s stays queued until it is sent again", grading.pk)
        return False
    return True


def lock_next() -> Grading | None:
    """The grading that is to be claimed next, one of ``gradings_to_run``, locked in the caller's transaction.

    It passes over those that other workers are claiming; None if nothing else waits. One query; three for bulk, and one
    more if others are claiming all that waits at the site whose last claim is longest ago.
    """
    claims = Grading.objects.filter(queue_site=OuterRef("pk"), started_at__isnull=False).order_by("-started_at")
    longest_ago = Subquery(claims.values("started_at")[:1]).asc(nulls_first=True)
    for is_bulk in (False, True):
        waiting = Q(status=Grading.Status.QUEUED, published_at__isnull=False, is_bulk=is_bulk)
        sites = Site.objects.filter(Exists(Grading.objects.filter(waiting, queue_site=OuterRef("pk"))))
        unlocked = gradings_to_run().filter(waiting).order_by("queued_at", "pk")
        unlocked = unlocked.select_for_update(of=("self",), skip_locked=True)
        grading = unlocked.filter(queue_site=Subquery(sites.order_by(longest_ago, "pk").values("pk")[:1])).first()
        if grading is None and sites.exists():
            grading = unlocked.first()
        if grading is not None:
            return grading
    return None


def gradings_to_run() -> QuerySet[Grading]:
    """Gradings with all that a worker reads to grade one: image, exam, site, ``active_bundle``, ``has_thresholds``.

    ``active_bundle`` is the id of the bundle that is active at the site, null for the released one;
    ``has_thresholds``: whether the site has ever stored a threshold.
    """
    site = "image__exam__site"
    rows = Grading.objects.select_related(site)
    return rows.annotate(
        active_bundle=active_bundle_id(site=site, model="model"),
        has_thresholds=Exists(SiteThreshold.objects.filter(site=OuterRef(site))),
    )


def is_user_waiting() -> bool:
    """Whether a photograph waits that is not bulk: other work stops for it."""
    return Grading.objects.filter(status=Grading.Status.QUEUED, published_at__isnull=False, is_bulk=False).exists()


def claim(grading: Grading) -> bool:
    """Claim a grading as it was read, and its site is last from now on; False if it does not wait any more."""
    as_read = Grading.objects.filter(pk=grading.pk, status=Grading.Status.QUEUED, n_attempts=grading.n_attempts)
    if not as_read.update(status=Grading.Status.RUNNING, started_at=Now(), n_attempts=F("n_attempts") + 1):
        return False
    grading.status, grading.n_attempts = Grading.Status.RUNNING, grading.n_attempts + 1
    return True

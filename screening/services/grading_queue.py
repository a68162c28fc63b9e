"""Whose photograph a worker grades next: interactive before bulk, then the site whose last claim is longest ago.

A message to the workers names no photograph: it says that one more waits. The order is in the database, so that a batch
of one site does not delay another site, in any order of the messages. Only gradings for which a message was
sent are taken; so each finds a message, also after one was queued again.
"""

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now

from screening.models import Grading, Site, SiteClaim


def next_waiting() -> Grading | None:
    """The grading that is to be claimed next, with image, exam and site. One query, two for bulk."""
    waiting = Grading.objects.filter(status=Grading.Status.QUEUED, published_at__isnull=False)
    longest_ago = F("grading_claim__claimed_at").asc(nulls_first=True)
    for is_bulk in (False, True):
        first = waiting.filter(queue_site=OuterRef("pk"), is_bulk=is_bulk).order_by("queued_at", "pk").values("pk")[:1]
        sites = Site.objects.annotate(first=Subquery(first)).filter(first__isnull=False).order_by(longest_ago, "pk")
        rows = Grading.objects.select_related("image__exam__site").defer("heatmap", "oedema_heatmap")
        grading = rows.filter(pk=Subquery(sites.values("first")[:1])).first()
        if grading is not None:
            return grading
    return None


@transaction.atomic
def claim(grading: Grading, *, is_in_order: bool) -> bool:
    """Claim a grading as it was read; False if another worker did, or it does not wait any more.

    ``is_in_order``: it was claimed in the order of the sites, and its site is last from now on.
    """
    as_read = Grading.objects.filter(pk=grading.pk, status=Grading.Status.QUEUED, n_attempts=grading.n_attempts)
    if not as_read.update(status=Grading.Status.RUNNING, started_at=Now(), n_attempts=F("n_attempts") + 1):
        return False
    if is_in_order and grading.queue_site_id is not None:
        last = SiteClaim(site_id=grading.queue_site_id, claimed_at=Now())
        SiteClaim.objects.bulk_create(
            [last], update_conflicts=True, unique_fields=["site"], update_fields=["claimed_at"]
        )
    grading.status, grading.n_attempts = Grading.Status.RUNNING, grading.n_attempts + 1
    return True

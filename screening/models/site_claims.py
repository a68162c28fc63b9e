"""Last claims of sites: the order of the queue of gradings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.sites import Site


class SiteClaim(models.Model):
    """When a worker last took a photograph of a site from the queue. The site of the oldest claim is next.

    A separate table: an upload has the row of its site locked, and no worker waits for that.
    """

    site = models.OneToOneField(
        Site, models.PROTECT, primary_key=True, related_name="grading_claim", verbose_name=_("site")
    )
    claimed_at = models.DateTimeField(_("last claimed at"))

    class Meta:
        verbose_name = _("last claim of a site")
        verbose_name_plural = _("last claims of sites")

    def __str__(self) -> str:
        return f"Turn of {self.site_id}"

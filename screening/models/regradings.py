"""Re-gradings: photographs of a site and a period that a version of a model grades again, as a job."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.models import MODEL_CHOICES
from screening.labels.regradings import REGRADING_STATE_CHOICES
from screening.models.base import BaseModel
from screening.models.gradings import Grading
from screening.models.images import FundusImage
from screening.models.sites import Site
from screening.policy.regradings import OPEN_STATES, RegradingState


class Regrading(BaseModel):
    """A job. Its id comes from the form: a repetition finds it. Days are those of exams, in the zone of the site."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="regradings", verbose_name=_("site"))
    model = models.CharField(_("model"), max_length=8, choices=MODEL_CHOICES)
    model_version = models.CharField(_("model version"), max_length=80)
    from_on = models.DateField(_("exams from"))
    to_on = models.DateField(_("exams until"))
    state = models.CharField(
        _("state"), max_length=10, choices=REGRADING_STATE_CHOICES, default=RegradingState.RUNNING.value, db_index=True
    )
    n_images = models.PositiveIntegerField(_("photographs"))
    finished_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("re-grading")
        verbose_name_plural = _("re-gradings")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="regradings_of_site")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=values(RegradingState)), name="regrading_state_known"),
            models.CheckConstraint(condition=Q(to_on__gte=F("from_on")), name="regrading_period_in_order"),
        ]

    def __str__(self) -> str:
        return f"Re-grading {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class RegradedImage(BaseModel):
    """A photograph of a re-grading.

    ``old_grading``: the current one when its turn came, ``begun_at``; ``new_grading``: the one by the version of the
    job, which is the same row if that had graded it before.
    """

    regrading = models.ForeignKey(Regrading, models.PROTECT, related_name="images")
    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="+")
    old_grading = models.ForeignKey(Grading, models.PROTECT, related_name="+", null=True, blank=True)
    new_grading = models.ForeignKey(Grading, models.PROTECT, related_name="+", null=True, blank=True)
    begun_at = models.DateTimeField(_("begun at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("photograph of a re-grading")
        verbose_name_plural = _("photographs of re-gradings")
        ordering = ["id"]
        indexes = [models.Index(fields=["regrading", "finished_at"], name="regraded_by_progress")]
        constraints = [models.UniqueConstraint(fields=["regrading", "image"], name="regraded_once_a_job")]

    def __str__(self) -> str:
        return f"Photograph {self.image_id} of {self.regrading_id}"

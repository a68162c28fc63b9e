"""The result of the model for a photograph, and its progress."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.images import FundusImage

_PENDING_OR_FAILED = ["queued", "running", "failed"]


def _is_fraction(field: str) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 0.0, f"{field}__lte": 1.0})


class Grading(BaseModel):
    """One photograph read by one version of the model. Re-grading adds a row and never rewrites history.

    ``heatmap`` holds rows of numbers in [0, 1] on the model's own grid; ``heatmap_box`` says where it lies on the
    upright photograph as (left, top, right, bottom), shares of its width and height.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Grading")
        DONE = "done", _("Graded")
        FAILED = "failed", _("Failed")

    class FailureCode(models.TextChoices):
        UNREADABLE = "unreadable", _("The photograph could not be read")
        FILE_MISSING = "file_missing", _("The stored file is missing")
        STORAGE_UNAVAILABLE = "storage_unavailable", _("The storage did not answer")
        TIME_LIMIT = "time_limit", _("Grading took too long")
        WORKER_LOST = "worker_lost", _("The grading program stopped")
        MODEL_CHANGED = "model_changed", _("The model was replaced meanwhile")
        UNEXPECTED = "unexpected", _("Unexpected error")

    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="gradings")
    model_version = models.CharField(_("model version"), max_length=80)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.QUEUED)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("queued at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True, blank=True)
    failure_code = models.CharField(
        _("failure code"), max_length=20, choices=FailureCode.choices, blank=True, default=""
    )
    failure_text = models.CharField(_("failure"), max_length=300, blank=True, default="")
    is_gradable = models.BooleanField(_("is gradable"), null=True, blank=True)
    p_gradable = models.FloatField(_("probability that it is gradable"), null=True, blank=True)
    quality_reasons = models.JSONField(_("quality reasons"), default=list, blank=True)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    probabilities = models.JSONField(_("probabilities of grades 0 to 4"), null=True, blank=True)
    p_referable = models.FloatField(_("probability that it is referable"), null=True, blank=True)
    is_referable = models.BooleanField(_("is referable"), null=True, blank=True)
    operating_point = models.FloatField(_("operating point"), null=True, blank=True)
    heatmap = models.JSONField(_("heatmap"), null=True, blank=True)
    heatmap_box = models.JSONField(_("heatmap's place on the photograph"), null=True, blank=True)

    class Meta:
        verbose_name = _("grading")
        verbose_name_plural = _("gradings")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["status", "queued_at"], name="grading_by_status")]
        constraints = [
            models.UniqueConstraint(fields=["image", "model_version"], name="grading_once_a_version"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed"]), name="grading_status_known"
            ),
            # A failure is never a plausible grade: only a finished reading of a gradable photograph holds one.
            models.CheckConstraint(
                condition=Q(grade__isnull=True, probabilities__isnull=True, p_referable__isnull=True)
                | Q(status="done", is_gradable=True),
                name="grading_grade_only_if_gradable",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_PENDING_OR_FAILED)
                | Q(is_gradable=False, p_gradable__isnull=False)
                | Q(
                    is_gradable=True,
                    p_gradable__isnull=False,
                    grade__isnull=False,
                    probabilities__isnull=False,
                    p_referable__isnull=False,
                    is_referable__isnull=False,
                    operating_point__isnull=False,
                ),
                name="grading_done_is_complete",
            ),
            models.CheckConstraint(condition=~Q(status="failed") | ~Q(failure_code=""), name="grading_failed_says_why"),
            models.CheckConstraint(condition=Q(grade__isnull=True) | Q(grade__lte=4), name="grading_grade_0_to_4"),
            models.CheckConstraint(condition=_is_fraction("p_gradable"), name="grading_p_gradable_is_fraction"),
            models.CheckConstraint(condition=_is_fraction("p_referable"), name="grading_p_referable_is_fraction"),
        ]

    def __str__(self) -> str:
        return f"Grading {self.id}"

    @property
    def is_pending(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

"""The result of the model for a photograph, and its progress."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _

from ml.prediction import is_limited_negative, p_at_least
from ml.vocabulary import Laterality, QualityLevel, ServedModel
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.failures import FAILURE_CHOICES, FailureCode, failure_text
from screening.labels.models import MODEL_CHOICES
from screening.labels.quality import QUALITY_LEVEL_CHOICES
from screening.labels.thresholds import measured_text
from screening.models.base import BaseModel
from screening.models.heatmaps import Heatmap, decode_heatmap
from screening.models.images import FundusImage
from screening.models.sites import Site
from screening.models.thresholds import SiteThreshold


def _is_fraction(field: str) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 0.0, f"{field}__lte": 1.0})


def _is_oedema_consistent() -> Q:
    """Only a finished grading of a gradable photograph says anything about macular oedema, and then all of it."""
    nothing = Q(p_macular_oedema__isnull=True, suspects_oedema__isnull=True)
    is_graded = Q(status="done", is_gradable=True, oedema_operating_point__isnull=False)
    not_assessed = nothing & (Q(oedema_operating_point__isnull=True) | is_graded)
    return not_assessed | (is_graded & Q(p_macular_oedema__isnull=False, suspects_oedema__isnull=False))


class Grading(BaseModel):
    """Result of one version of the model for one photograph. Grading again adds a row and changes none.

    ``published_at`` is when its message was sent to the workers, right after the commit; null if the broker was
    unavailable, and then no worker takes the row.
    ``queue_site`` is its site while it waits, for the order (``services.grading_queue``); ``is_bulk`` ones come
    after all others. ``started_at`` is when a worker last claimed it, and stays if it is queued again: the newest of a
    site is the site's last claim.
    Its heatmaps are in another table (``Heatmap``): to show them, select ``stored_heatmap`` with it.
    ``oedema_operating_point`` is null if the model does not assess macular oedema; with it but without
    ``p_macular_oedema``, the macula is not visible. ``threshold`` is null if the operating point is the model's own.
    ``brightness``, ``redness``, ``focus`` and ``field_size`` are those of ``ml.prediction.Measurements``; null if they
    were not measured, as in gradings before they were stored.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Grading")
        DONE = "done", _("Graded")
        FAILED = "failed", _("Failed")

    FailureCode = FailureCode

    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="gradings")
    model = models.CharField(_("model"), max_length=8, choices=MODEL_CHOICES)
    model_version = models.CharField(_("model version"), max_length=80)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.QUEUED)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    is_bulk = models.BooleanField(_("no user waits for it"), default=False)
    queue_site = models.ForeignKey(
        Site,
        models.PROTECT,
        related_name="+",
        db_index=False,  # grading_by_order
        null=True,
        blank=True,
        verbose_name=_("site in the queue"),
    )
    queued_at = models.DateTimeField(_("queued at"))
    published_at = models.DateTimeField(_("sent to the workers at"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True, blank=True)
    failure_code = models.CharField(_("failure code"), max_length=20, choices=FAILURE_CHOICES, blank=True, default="")
    is_gradable = models.BooleanField(_("is gradable"), null=True, blank=True)
    quality_level = models.CharField(_("quality"), max_length=12, choices=QUALITY_LEVEL_CHOICES, blank=True, default="")
    p_gradable = models.FloatField(_("probability that it is gradable"), null=True, blank=True)
    quality_reasons = models.JSONField(_("quality reasons"), default=list, blank=True)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    probabilities = models.JSONField(_("probabilities of grades 0 to 4"), null=True, blank=True)
    p_referable = models.FloatField(_("probability that it is referable"), null=True, blank=True)
    is_referable = models.BooleanField(_("is referable"), null=True, blank=True)
    operating_point = models.FloatField(_("operating point"), null=True, blank=True)
    threshold = models.ForeignKey(
        SiteThreshold,
        models.PROTECT,
        related_name="gradings",
        null=True,
        blank=True,
        verbose_name=_("threshold of the site"),
    )
    p_macular_oedema = models.FloatField(_("probability of referable macular oedema"), null=True, blank=True)
    suspects_oedema = models.BooleanField(_("suspicion of macular oedema"), null=True, blank=True)
    oedema_operating_point = models.FloatField(_("operating point of macular oedema"), null=True, blank=True)
    brightness = models.FloatField(_("brightness"), null=True, blank=True)
    redness = models.FloatField(_("colour, red to green"), null=True, blank=True)
    focus = models.FloatField(_("focus"), null=True, blank=True)
    field_size = models.FloatField(_("size of the field of view"), null=True, blank=True)
    laterality_suggested = models.CharField(
        _("eye that the photograph shows"), max_length=2, choices=LATERALITY_CHOICES, blank=True, default=""
    )
    laterality_confidence = models.FloatField(_("probability of the likelier eye"), null=True, blank=True)

    class Meta:
        verbose_name = _("grading")
        verbose_name_plural = _("gradings")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["status", "queued_at"], name="grading_by_status"),
            models.Index(
                fields=["queue_site", "is_bulk", "queued_at"], condition=Q(status="queued"), name="grading_by_order"
            ),
            models.Index(fields=["queue_site", "-started_at"], name="grading_by_claim"),
            models.Index(fields=["-created_at", "id"], name="grading_newest"),
            models.Index(
                fields=["status", "-created_at", "id"], name="grading_unfinished", condition=~Q(status="done")
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["image", "model_version"], name="grading_once_a_version"),
            models.CheckConstraint(condition=Q(model__in=values(ServedModel)), name="grading_model_known"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed"]), name="grading_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="queued") | Q(queue_site__isnull=False), name="grading_queued_has_site"
            ),
            # A failure has no grade: only a finished grading of a gradable photograph has one.
            models.CheckConstraint(
                condition=Q(grade__isnull=True, probabilities__isnull=True, p_referable__isnull=True)
                | Q(status="done", is_gradable=True),
                name="grading_grade_only_if_gradable",
            ),
            models.CheckConstraint(
                condition=~Q(status="done")
                | Q(is_gradable=False, quality_level="ungradable", p_gradable__isnull=False)
                | Q(
                    is_gradable=True,
                    quality_level__in=["good", "usable"],
                    p_gradable__isnull=False,
                    grade__isnull=False,
                    probabilities__isnull=False,
                    p_referable__isnull=False,
                    is_referable__isnull=False,
                    operating_point__isnull=False,
                ),
                name="grading_done_is_complete",
            ),
            models.CheckConstraint(condition=_is_oedema_consistent(), name="grading_oedema_consistent"),
            models.CheckConstraint(
                condition=_is_fraction("p_macular_oedema"), name="grading_p_macular_oedema_is_fraction"
            ),
            models.CheckConstraint(condition=~Q(status="failed") | ~Q(failure_code=""), name="grading_failed_says_why"),
            models.CheckConstraint(condition=Q(grade__isnull=True) | Q(grade__lte=4), name="grading_grade_0_to_4"),
            models.CheckConstraint(condition=_is_fraction("p_gradable"), name="grading_p_gradable_is_fraction"),
            models.CheckConstraint(condition=_is_fraction("p_referable"), name="grading_p_referable_is_fraction"),
            models.CheckConstraint(
                condition=Q(laterality_suggested__in=["", *values(Laterality)]), name="grading_laterality_known"
            ),
            models.CheckConstraint(
                condition=_is_fraction("laterality_confidence"), name="grading_laterality_confidence_is_fraction"
            ),
        ]

    def __str__(self) -> str:
        return f"Grading {self.id}"

    @property
    def is_pending(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def is_delayed(self) -> bool:
        """It waits for a worker, and no task was sent: the message broker was unavailable."""
        return self.status == self.Status.QUEUED and self.published_at is None

    @property
    def heatmap(self) -> list[list[float]] | None:
        """Evidence for the grade: rows of numbers in [0, 1]; None without one."""
        stored = self._heatmap
        return None if stored is None or stored.of_grade is None else decode_heatmap(stored.of_grade)

    @property
    def oedema_heatmap(self) -> list[list[float]] | None:
        """Evidence for macular oedema, as ``heatmap``."""
        stored = self._heatmap
        return None if stored is None or stored.of_oedema is None else decode_heatmap(stored.of_oedema)

    @property
    def heatmap_box(self) -> list[float] | None:
        """The box of both heatmaps on the upright photograph (``Heatmap.box``)."""
        return None if self._heatmap is None else self._heatmap.box

    @property
    def _heatmap(self) -> Heatmap | None:
        return getattr(self, "stored_heatmap", None)

    @property
    def p_at_least(self) -> tuple[float, ...] | None:
        """P(grade >= 1) to P(grade >= 4); None without a grade."""
        return None if self.probabilities is None else p_at_least(self.probabilities)

    @property
    def is_limited_negative(self) -> bool:
        """Whether small lesions could be missed in its negative result."""
        return is_limited_negative(self.quality_level, is_referable=self.is_referable)

    @property
    def has_laterality_conflict(self) -> bool:
        """The photograph shows the other eye than the one it is recorded for, as far as the model can tell.

        The eye is recognised on macula-centred photographs only.
        """
        suggested, image = self.laterality_suggested, self.image
        return bool(suggested) and image.field == FundusImage.Field.MACULA and suggested != image.laterality

    @property
    def threshold_origin(self) -> str:
        """What the operating point is: the model's own, or one of the site."""
        return SiteThreshold.Origin.MODEL if self.threshold is None else self.threshold.origin

    @property
    def threshold_text(self) -> str:
        """The sentence on the threshold of the site; empty if the operating point is the model's own."""
        return "" if self.threshold is None else measured_text(self.threshold.measured)

    @property
    def failure_text(self) -> str:
        """What failed and what to do about it; empty unless failed."""
        return failure_text(self.failure_code)


def current_first(gradings: QuerySet[Grading]) -> QuerySet[Grading]:
    """Order gradings so that the first one of each photograph is the current one, whose result counts.

    It is the newest by the model that grades the exams of the site; the newest by any model if that one has none.
    """
    installed: tuple[ServedModel, ...] = settings.GRADING_MODELS
    of_site = Q(model=F("image__exam__site__model")) if len(installed) > 1 else Q(model=installed[0])
    return gradings.order_by(Case(When(of_site, then=0), default=1), "-created_at", "pk")


def is_flagged(gradings: Iterable[Grading]) -> bool | None:
    """Whether the model flagged an eye as referable or suspected macular oedema; None if nothing was gradable."""
    gradable = [one for one in gradings if one.is_gradable]
    return any(one.is_referable or one.suspects_oedema for one in gradable) if gradable else None


def limited_negatives(gradings: Iterable[Grading]) -> list[Grading]:
    """Negatives in which small lesions could be missed, unless a good photograph shows the same field of the eye."""
    gradings = list(gradings)
    well_shown = {_field_of(grading) for grading in gradings if grading.quality_level == QualityLevel.GOOD}
    return [one for one in gradings if one.is_limited_negative and _field_of(one) not in well_shown]


def limited_fields(gradings: Iterable[Grading]) -> set[tuple[str, str]]:
    """Eye and field of photographs that are usable with limits, unless a good one shows the same field."""
    gradings = list(gradings)
    fields = {level: {_field_of(one) for one in gradings if one.quality_level == level} for level in QualityLevel}
    return fields[QualityLevel.USABLE] - fields[QualityLevel.GOOD]


def _field_of(grading: Grading) -> tuple[str, str]:
    return grading.image.laterality, grading.image.field

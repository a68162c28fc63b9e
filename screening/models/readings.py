"""Signed readings of exams that several persons read. Rows are added and never changed, by triggers."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.protocols import READING_STAGE_CHOICES
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES
from screening.labels.scales import SCALE_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.protocols import SiteProtocol
from screening.models.reviews import StructuredFindings
from screening.policy import GradingScale, MacularOedema
from screening.policy.protocols import ReadEye, ReadingStage

_IN_PROTOCOL = ~Q(stage=ReadingStage.REPEAT.value)


class _InProtocol(models.Manager["Reading"]):
    """Readings by which a result comes about: all but repeats."""

    def get_queryset(self) -> models.QuerySet["Reading"]:
        return super().get_queryset().filter(_IN_PROTOCOL)


class Reading(BaseModel):
    """What one person signed of an exam that another person reads too, before and beside its result.

    The result is a ``Review`` of the same exam and ``reading_round``: its readings are those with both in common. A
    reading of an earlier round does not count. ``protocol`` demanded the second reading. A senior reviewer's reading
    has a ``reason``, and ``taken_over`` names the reading that it is equal to, if so. A repeat never changes a result:
    ``in_protocol`` are the others.
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    stage = models.CharField(_("stage"), max_length=12, choices=READING_STAGE_CHOICES)
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)
    signed_at = models.DateTimeField(_("signed at"))
    scale = models.CharField(_("grading scale"), max_length=8, choices=SCALE_CHOICES, default=GradingScale.ICDR.value)
    protocol = models.ForeignKey(SiteProtocol, models.PROTECT, related_name="readings", null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="", max_length=2000)
    reason = models.CharField(_("reason of the decision"), max_length=300, blank=True, default="")
    taken_over = models.ForeignKey("self", models.PROTECT, related_name="+", null=True, blank=True)

    objects = models.Manager["Reading"]()
    in_protocol = _InProtocol()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        ordering = ["signed_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "reading_round", "stage"], condition=_IN_PROTOCOL, name="reading_stage_once"
            ),
            models.UniqueConstraint(
                fields=["exam", "reading_round", "reader"], condition=_IN_PROTOCOL, name="reading_once_a_person"
            ),
            models.CheckConstraint(condition=Q(stage__in=values(ReadingStage)), name="reading_stage_known"),
            models.CheckConstraint(condition=Q(scale__in=values(GradingScale)), name="reading_scale_known"),
            models.CheckConstraint(
                condition=Q(stage="arbitration") & ~Q(reason="") | ~Q(stage="arbitration") & Q(reason=""),
                name="reading_reason_of_arbitration",
            ),
            models.CheckConstraint(
                condition=Q(taken_over__isnull=True) | Q(stage="arbitration"), name="reading_taken_over_by_arbitration"
            ),
            models.CheckConstraint(
                condition=~Q(stage="first") | Q(protocol__isnull=False), name="reading_first_by_protocol"
            ),
        ]

    def __str__(self) -> str:
        return f"Reading {self.id}"

    @property
    def findings(self) -> "models.Manager[ReadingEye]":
        """The eyes, under the name that those of a review have."""
        return self.eyes


class ReadingEye(StructuredFindings, BaseModel):
    """What a reading found in one eye. ``acuity``: the visual acuity that the reader entered, if so."""

    reading = models.ForeignKey(Reading, models.PROTECT, related_name="eyes")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    is_absent = models.BooleanField(_("eye is absent"), default=False)
    absent_reason = models.CharField(_("eye absent: reason"), max_length=200, blank=True, default="")
    is_photographed = models.BooleanField(_("has a photograph"), default=True)
    is_gradable = models.BooleanField(_("is gradable"))
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(
        _("macular oedema"), max_length=12, choices=MACULAR_OEDEMA_CHOICES, default=MacularOedema.UNKNOWN.value
    )
    changed_reason = models.CharField(_("why changed after the reveal"), max_length=300, blank=True, default="")
    acuity = models.CharField(_("visual acuity"), max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("eye of a reading")
        verbose_name_plural = _("eyes of readings")
        ordering = ["laterality", "id"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "laterality"], name="reading_eye_once"),
            models.CheckConstraint(condition=Q(laterality__in=values(Laterality)), name="reading_eye_laterality_known"),
            models.CheckConstraint(
                condition=Q(is_absent=False, is_photographed=True, is_gradable=True, grade__isnull=False, grade__lte=4)
                | Q(is_gradable=False, grade__isnull=True),
                name="reading_eye_grade_only_if_gradable",
            ),
            models.CheckConstraint(
                condition=Q(macular_oedema__in=values(MacularOedema)), name="reading_eye_oedema_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Eye of a reading {self.id}"

    @property
    def read_eye(self) -> ReadEye:
        """The eye as ``policy`` compares it. Reads the scale of the reading."""
        return ReadEye(
            is_absent=self.is_absent,
            is_photographed=self.is_photographed,
            is_gradable=self.is_gradable,
            grade=self.grade,
            macular_oedema=self.macular_oedema,
            scale=GradingScale(self.reading.scale),
            retinopathy=self.retinopathy,
            maculopathy=self.maculopathy,
            photocoagulation=self.photocoagulation,
        )

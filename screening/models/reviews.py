"""What a clinician decided."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening import policy
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.images import FundusImage


class Review(BaseModel):
    """A signed decision on an exam. It is never changed: an amendment is a new review that names the one it amends."""

    class Outcome(models.TextChoices):
        """What follows, as ``policy.decide_outcome`` answers it."""

        RESCREEN = policy.Outcome.RESCREEN.value, _("Screen again at the recall date")
        REPEAT_IMAGING = policy.Outcome.REPEAT_IMAGING.value, _("Take the photographs again")
        REFER_SLIT_LAMP = policy.Outcome.REFER_SLIT_LAMP.value, _("Refer for slit-lamp examination")
        REFER = policy.Outcome.REFER.value, _("Refer to a specialist")
        REFER_URGENT = policy.Outcome.REFER_URGENT.value, _("Refer to a specialist at once")

    class Urgency(models.TextChoices):
        ROUTINE = policy.Urgency.ROUTINE.value, _("Routine")
        SOON = policy.Urgency.SOON.value, _("Within 3 to 6 months")
        IMMEDIATE = policy.Urgency.IMMEDIATE.value, _("Immediate")

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(_("signed at"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices)
    urgency = models.CharField(_("urgency"), max_length=12, choices=Urgency.choices)
    recall_on = models.DateField(_("recall on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="", max_length=2000)
    amends = models.ForeignKey("self", models.PROTECT, related_name="amendments", null=True, blank=True)
    amend_reason = models.CharField(_("reason of the amendment"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-signed_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["exam"], condition=Q(amends__isnull=True), name="review_signed_once"),
            models.UniqueConstraint(fields=["amends"], name="review_amended_once"),
            models.CheckConstraint(
                condition=Q(amends__isnull=True, amend_reason="") | Q(amends__isnull=False) & ~Q(amend_reason=""),
                name="review_amended_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in policy.Outcome]), name="review_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(urgency__in=[urgency.value for urgency in policy.Urgency]), name="review_urgency_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Review {self.id}"


class MacularOedema(models.TextChoices):
    """Macular oedema as the reviewer saw it; the model does not grade it."""

    NONE = policy.MacularOedema.NONE.value, _("None")
    NOT_CENTRE = policy.MacularOedema.NOT_CENTRE.value, _("Present, centre not involved")
    CENTRE = policy.MacularOedema.CENTRE.value, _("Present, centre involved")
    UNKNOWN = policy.MacularOedema.UNKNOWN.value, _("Cannot tell")


_OEDEMA_KNOWN = Q(macular_oedema__in=[value.value for value in policy.MacularOedema])


class EyeFinding(BaseModel):
    """The signed finding for one eye."""

    Laterality = FundusImage.Laterality
    MacularOedema = MacularOedema

    review = models.ForeignKey(Review, models.PROTECT, related_name="findings")
    laterality = models.CharField(_("eye"), max_length=2, choices=FundusImage.Laterality.choices)
    is_absent = models.BooleanField(_("eye is absent"), default=False)
    is_gradable = models.BooleanField(_("is gradable"))
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(
        _("macular oedema"), max_length=12, choices=MacularOedema.choices, default=MacularOedema.UNKNOWN
    )
    changed_reason = models.CharField(_("why changed after the reveal"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("eye finding")
        verbose_name_plural = _("eye findings")
        ordering = ["laterality", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "laterality"], name="finding_once_an_eye"),
            models.CheckConstraint(condition=Q(laterality__in=["OD", "OS"]), name="finding_laterality_known"),
            models.CheckConstraint(
                condition=Q(is_absent=False, is_gradable=True, grade__isnull=False, grade__lte=4)
                | Q(is_gradable=False, grade__isnull=True),
                name="finding_grade_only_if_gradable",
            ),
            models.CheckConstraint(condition=_OEDEMA_KNOWN, name="finding_oedema_known"),
        ]

    def __str__(self) -> str:
        return f"Finding {self.id}"


class FirstReading(BaseModel):
    """The grade a reviewer recorded for one eye before the model's was revealed. Append-only, by a trigger."""

    Laterality = FundusImage.Laterality
    MacularOedema = MacularOedema

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="first_readings")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    laterality = models.CharField(_("eye"), max_length=2, choices=FundusImage.Laterality.choices)
    is_gradable = models.BooleanField(_("is gradable"))
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(
        _("macular oedema"), max_length=12, choices=MacularOedema.choices, default=MacularOedema.UNKNOWN
    )

    class Meta:
        verbose_name = _("first reading")
        verbose_name_plural = _("first readings")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["exam", "reviewer", "laterality"], name="first_reading_once"),
            models.CheckConstraint(condition=Q(laterality__in=["OD", "OS"]), name="first_reading_laterality_known"),
            models.CheckConstraint(
                condition=Q(is_gradable=True, grade__isnull=False, grade__lte=4)
                | Q(is_gradable=False, grade__isnull=True),
                name="first_reading_grade_if_gradable",
            ),
            models.CheckConstraint(condition=_OEDEMA_KNOWN, name="first_reading_oedema_known"),
        ]

    def __str__(self) -> str:
        return f"First reading {self.id}"

"""Teaching sets: signed exams that readers in training grade, their readings and certificates.

Nothing here changes an exam, its reviews or the worklist. Exams and photographs stay where they are.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.reviews import Review
from screening.models.sites import Site
from screening.policy import MacularOedema


class TeachingSet(BaseModel):
    """Signed exams of one site under a name. It is archived and never deleted.

    ``version`` increases with a change of the exams after a reader has begun to read the present ones.
    """

    class ShowsTruth(models.TextChoices):
        """When a reader sees what was signed."""

        EACH = "each", _("after each exam")
        END = "end", _("after all exams")

    site = models.ForeignKey(Site, models.PROTECT, related_name="teaching_sets", verbose_name=_("site"))
    name = models.CharField(_("name"), max_length=120)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    shows_truth = models.CharField(
        _("readers see what was signed"), max_length=4, choices=ShowsTruth.choices, default=ShowsTruth.EACH
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("teaching set")
        verbose_name_plural = _("teaching sets")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="teaching_set_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="teaching_set_has_name"),
            models.CheckConstraint(condition=Q(shows_truth__in=["each", "end"]), name="teaching_set_truth_known"),
        ]

    def __str__(self) -> str:
        return f"Teaching set {self.id}"


class TeachingCase(BaseModel):
    """A signed exam in a set. ``truth`` is what was signed when it was added: grade and oedema of each eye, by eye.

    Exam and review become null if they are erased; ``truth`` has no data of a person and stays.
    ``to_version``: the last version of the set that has it; null: the present one.
    """

    teaching_set = models.ForeignKey(TeachingSet, models.PROTECT, related_name="cases")
    exam = models.ForeignKey(Exam, models.SET_NULL, related_name="teaching_cases", null=True)
    review = models.ForeignKey(Review, models.SET_NULL, related_name="teaching_cases", null=True)
    number = models.PositiveSmallIntegerField(_("number"))
    from_version = models.PositiveSmallIntegerField(_("from version"))
    to_version = models.PositiveSmallIntegerField(_("to version"), null=True, blank=True)
    truth = models.JSONField(_("signed findings"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("exam of a teaching set")
        verbose_name_plural = _("exams of teaching sets")
        ordering = ["number", "id"]
        constraints = [
            models.UniqueConstraint(fields=["teaching_set", "number"], name="teaching_case_number_once"),
            models.UniqueConstraint(
                fields=["teaching_set", "exam"], condition=Q(to_version__isnull=True), name="teaching_case_exam_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Teaching case {self.id}"


class TeachingReading(BaseModel):
    """What a reader in training found in one eye, by ICDR. Append-only, by a trigger.

    ``lesions`` and ``marks`` are those of ``policy.lesions`` and ``policy.marks``, the marks as JSON text.
    """

    case = models.ForeignKey(TeachingCase, models.PROTECT, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(_("macular oedema"), max_length=12, choices=MACULAR_OEDEMA_CHOICES)
    lesions = models.JSONField(_("lesions"), default=dict, blank=True)
    marks = models.TextField(_("marks"), blank=True, default="")

    class Meta:
        verbose_name = _("reading of a teaching set")
        verbose_name_plural = _("readings of teaching sets")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "reader", "laterality"], name="teaching_reading_once"),
            models.CheckConstraint(
                condition=Q(grade__isnull=True) | Q(grade__lte=4), name="teaching_reading_grade_0_to_4"
            ),
            models.CheckConstraint(
                condition=Q(macular_oedema__in=values(MacularOedema)), name="teaching_reading_oedema_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Teaching reading {self.id}"


class TeachingCertificate(BaseModel):
    """The agreement of one reader with one version of a set. Append-only, by a trigger.

    ``metrics`` are those of ``policy.agreement.Agreement``. ``digest`` is the SHA-256 of set, version, reader, figures
    and the readings that they follow from (``services.teaching_certificates``).
    """

    teaching_set = models.ForeignKey(TeachingSet, models.PROTECT, related_name="certificates")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    version = models.PositiveSmallIntegerField(_("version"))
    n_cases = models.PositiveSmallIntegerField(_("exams"))
    metrics = models.JSONField(_("figures"))
    digest = models.CharField(_("check sum"), max_length=64)

    class Meta:
        verbose_name = _("certificate of a reader")
        verbose_name_plural = _("certificates of readers")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["teaching_set", "version", "reader"], name="teaching_certificate_once")
        ]

    def __str__(self) -> str:
        return f"Certificate {self.id}"

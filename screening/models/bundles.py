"""Bundles that superusers registered, the sites that try one in shadow mode, and what it graded there."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.failures import FAILURE_CHOICES
from screening.models.base import BaseModel
from screening.models.images import FundusImage
from screening.models.sites import Site


class RegisteredBundle(BaseModel):
    """A bundle in MODELS_DIR that was checked. ``description_sha256`` is that of bundle.json, which has all others."""

    folder_name = models.CharField(_("folder"), max_length=80, unique=True)
    model_version = models.CharField(_("model version"), max_length=80, unique=True)
    description_sha256 = models.CharField(_("SHA-256 of bundle.json"), max_length=64)
    reason = models.CharField(_("reason"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("registered by")
    )

    class Meta:
        verbose_name = _("registered bundle")
        verbose_name_plural = _("registered bundles")
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.model_version


class SiteShadow(BaseModel):
    """Which bundle a site tries in shadow mode, from which day of exams on; None: none. The newest row counts."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="shadows", verbose_name=_("site"))
    bundle = models.ForeignKey(
        RegisteredBundle, models.PROTECT, related_name="shadows", null=True, blank=True, verbose_name=_("model")
    )
    since = models.DateField(_("exams since"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("shadow mode of a site")
        verbose_name_plural = _("shadow modes of sites")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="shadows_of_site")]
        constraints = [
            models.CheckConstraint(
                condition=Q(bundle__isnull=True, since__isnull=True) | Q(bundle__isnull=False, since__isnull=False),
                name="shadow_has_first_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.bundle or '-'}"


class ShadowGrading(BaseModel):
    """Result of a registered bundle for one photograph, for the comparison of models alone.

    NB: a table apart from ``Grading``, so that no page, API, export, report or letter of readers can show one.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Grading")
        DONE = "done", _("Graded")
        FAILED = "failed", _("Failed")

    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="shadow_gradings")
    bundle = models.ForeignKey(RegisteredBundle, models.PROTECT, related_name="gradings")
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.RUNNING)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    failure_code = models.CharField(_("failure code"), max_length=20, choices=FAILURE_CHOICES, blank=True, default="")
    is_gradable = models.BooleanField(_("is gradable"), null=True, blank=True)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    p_referable = models.FloatField(_("probability that it is referable"), null=True, blank=True)
    is_referable = models.BooleanField(_("is referable"), null=True, blank=True)
    suspects_oedema = models.BooleanField(_("suspicion of macular oedema"), null=True, blank=True)

    class Meta:
        verbose_name = _("shadow grading")
        verbose_name_plural = _("shadow gradings")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["status", "started_at"], name="shadow_by_status")]
        constraints = [
            models.UniqueConstraint(fields=["image", "bundle"], name="shadow_once_a_bundle"),
            models.CheckConstraint(
                condition=Q(grade__isnull=True) | Q(status="done", is_gradable=True, grade__lte=4),
                name="shadow_grade_only_if_gradable",
            ),
            models.CheckConstraint(condition=~Q(status="failed") | ~Q(failure_code=""), name="shadow_failed_says_why"),
        ]

    def __str__(self) -> str:
        return f"Shadow grading {self.id}"

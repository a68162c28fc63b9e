"""Reviews: what a clinician found and decided."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.lesions import UNGRADABLE_REASON_CHOICES
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES, OUTCOME_CHOICES, URGENCY_CHOICES
from screening.labels.scales import SCALE_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.outcome_tables import SiteOutcomeTable
from screening.models.sites import Site
from screening.policy import GradingScale, MacularOedema, Outcome, Urgency


class Review(BaseModel):
    """A signed decision on an exam. It is never changed: an amendment is a new review that refers to it.

    It counts if it has no amendment and its ``reading_round`` is that of the exam. The outcome follows from
    ``outcome_table``, or from ``built_in_version`` of the built-in tables; ``outcome_rules`` are the rules that set it.

    ``site`` is that of the exam, which stays at its site: an index of site and time finds the results of a site.
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="reviews")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False, editable=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(_("signed at"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=OUTCOME_CHOICES)
    urgency = models.CharField(_("urgency"), max_length=12, choices=URGENCY_CHOICES)
    recall_on = models.DateField(_("recall on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="", max_length=2000)
    amends = models.ForeignKey("self", models.PROTECT, related_name="amendments", null=True, blank=True)
    amend_reason = models.CharField(_("reason of the amendment"), max_length=300, blank=True, default="")
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)
    scale = models.CharField(_("grading scale"), max_length=8, choices=SCALE_CHOICES, default=GradingScale.ICDR.value)
    outcome_table = models.ForeignKey(
        SiteOutcomeTable, models.PROTECT, related_name="reviews", null=True, blank=True, verbose_name=_("outcome table")
    )
    built_in_version = models.PositiveSmallIntegerField(
        _("version of the built-in outcome table"), null=True, blank=True
    )
    outcome_rules = models.JSONField(_("rules that set the outcome"), default=list, blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-signed_at", "id"]
        indexes = [
            models.Index(fields=["-signed_at", "id"], name="reviews_newest_first"),
            # The list of one site, also with an outcome.
            models.Index(fields=["site", "-signed_at", "id"], name="reviews_of_site"),
            models.Index(fields=["site", "outcome", "-signed_at", "id"], name="reviews_by_outcome"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "reading_round"], condition=Q(amends__isnull=True), name="review_signed_once"
            ),
            models.UniqueConstraint(fields=["amends"], name="review_amended_once"),
            models.CheckConstraint(
                condition=Q(amends__isnull=True, amend_reason="") | Q(amends__isnull=False) & ~Q(amend_reason=""),
                name="review_amended_with_reason",
            ),
            models.CheckConstraint(condition=Q(outcome__in=values(Outcome)), name="review_outcome_known"),
            models.CheckConstraint(condition=Q(urgency__in=values(Urgency)), name="review_urgency_known"),
            models.CheckConstraint(condition=Q(scale__in=values(GradingScale)), name="review_scale_known"),
            models.CheckConstraint(
                condition=Q(outcome_table__isnull=True, built_in_version__isnull=False)
                | Q(outcome_table__isnull=False, built_in_version__isnull=True),
                name="review_has_one_outcome_table",
            ),
        ]

    def __str__(self) -> str:
        return f"Review {self.id}"


class StructuredFindings(models.Model):
    """What a reader found in one eye beside grade and macular oedema, of a first reading and of a signed finding.

    ``lesions`` maps codes of ``policy.lesions.Lesion`` to numbers above 0. ``retinopathy``, ``maculopathy`` and
    ``photocoagulation`` are the grades of the site's scale; empty in ICDR. ``contradiction_reason``: why the grade is
    not that of the lesions. ``landmarks`` maps ids of photographs to the values of ``policy.landmarks.Landmarks``, if
    the reader moved them.
    """

    lesions = models.JSONField(_("lesions"), default=dict, blank=True)
    other_disease = models.CharField(_("other disease"), max_length=200, blank=True, default="")
    ungradable_reason = models.CharField(
        _("why ungradable"), max_length=20, choices=UNGRADABLE_REASON_CHOICES, blank=True, default=""
    )
    retinopathy = models.CharField(_("retinopathy in the scale of the site"), max_length=4, blank=True, default="")
    maculopathy = models.CharField(_("maculopathy in the scale of the site"), max_length=4, blank=True, default="")
    photocoagulation = models.CharField(
        _("photocoagulation in the scale of the site"), max_length=4, blank=True, default=""
    )
    contradiction_reason = models.CharField(
        _("why the grade differs from the lesions"), max_length=300, blank=True, default=""
    )
    landmarks = models.JSONField(_("optic disc and fovea"), default=dict, blank=True)

    class Meta:
        abstract = True

    @property
    def grades_in_scale(self) -> str:
        """The grades of the site's scale, such as "R1 M0 P0"; empty in ICDR."""
        return " ".join(filter(None, (self.retinopathy, self.maculopathy, self.photocoagulation)))


class EyeFinding(StructuredFindings, BaseModel):
    """The signed finding for one eye."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="findings")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    is_absent = models.BooleanField(_("eye is absent"), default=False)
    is_photographed = models.BooleanField(_("has a photograph"), default=True)
    is_gradable = models.BooleanField(_("is gradable"))
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(
        _("macular oedema"), max_length=12, choices=MACULAR_OEDEMA_CHOICES, default=MacularOedema.UNKNOWN.value
    )
    changed_reason = models.CharField(_("why changed after the reveal"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("eye finding")
        verbose_name_plural = _("eye findings")
        ordering = ["laterality", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "laterality"], name="finding_once_an_eye"),
            models.CheckConstraint(condition=Q(laterality__in=values(Laterality)), name="finding_laterality_known"),
            models.CheckConstraint(
                condition=Q(is_absent=False, is_gradable=True, grade__isnull=False, grade__lte=4)
                | Q(is_gradable=False, grade__isnull=True),
                name="finding_grade_only_if_gradable",
            ),
            models.CheckConstraint(
                condition=Q(is_photographed=True) | Q(is_gradable=False), name="finding_gradable_only_with_photograph"
            ),
            models.CheckConstraint(condition=Q(macular_oedema__in=values(MacularOedema)), name="finding_oedema_known"),
        ]

    def __str__(self) -> str:
        return f"Finding {self.id}"


class FirstReading(StructuredFindings, BaseModel):
    """The grade that a reviewer recorded for one eye before seeing the model's. Append-only, by a trigger.

    ``is_blind_complete``: with this reading its reviewer has read each eye of the exam that has a photograph.
    ``reading_round``: that of the exam when it was recorded; a reading of an earlier round does not count.
    ``not_blind_reason``: how the reviewer had seen the model's result before (``services.blindness``); empty: not at
    all. Figures about blind readings leave the others out.
    """

    class NotBlind(models.TextChoices):
        """How a reviewer had seen the model's result before the first reading."""

        SITE_SHOWS_RESULT = "site_shows_result", _("the site shows the model's result with the photographs")
        EARLIER_READING = "earlier_reading", _("the reader had seen the model's result in an earlier reading")
        OTHER_ROLE = "other_role", _("the reader had seen the model's result in another role")
        PREDICTED = "predicted", _("the reader had the photograph graded before")
        SAME_PICTURE = "same_picture", _("the reader had seen the model's result for the same picture in another exam")
        SAME_PERSON = "same_person", _("the reader had seen the model's result of another exam of this person")

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="first_readings")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    is_gradable = models.BooleanField(_("is gradable"))
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    macular_oedema = models.CharField(
        _("macular oedema"), max_length=12, choices=MACULAR_OEDEMA_CHOICES, default=MacularOedema.UNKNOWN.value
    )
    is_blind_complete = models.BooleanField(_("completes the blind reading"), default=False)
    not_blind_reason = models.CharField(_("not blind"), max_length=20, choices=NotBlind.choices, blank=True, default="")
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)

    class Meta:
        verbose_name = _("first reading")
        verbose_name_plural = _("first readings")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "reviewer", "laterality", "reading_round"], name="first_reading_once"
            ),
            models.CheckConstraint(
                condition=Q(laterality__in=values(Laterality)), name="first_reading_laterality_known"
            ),
            models.CheckConstraint(
                condition=Q(is_gradable=True, grade__isnull=False, grade__lte=4)
                | Q(is_gradable=False, grade__isnull=True),
                name="first_reading_grade_if_gradable",
            ),
            models.CheckConstraint(
                condition=Q(macular_oedema__in=values(MacularOedema)), name="first_reading_oedema_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    not_blind_reason__in=[
                        "",
                        "site_shows_result",
                        "earlier_reading",
                        "other_role",
                        "predicted",
                        "same_picture",
                        "same_person",
                    ]
                ),
                name="first_reading_not_blind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"First reading {self.id}"

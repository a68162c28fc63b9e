"""Sites, and the roles of users there."""

import datetime
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import ServedModel
from screening.labels.choices import values
from screening.labels.models import MODEL_CHOICES
from screening.labels.scales import SCALE_CHOICES
from screening.models.base import BaseModel
from screening.models.message_settings import MessageSettings
from screening.models.programmes import Programme
from screening.policy import GradingScale, Urgency
from screening.policy.recall import RecallRules
from screening.policy.referrals import DEFAULT_RESULT_DAYS, DEFAULT_TARGETS
from screening.policy.worklist import DEFAULT_READING_HOURS

_RECALL = RecallRules()
MAX_READING_TARGET_H = 24 * 90
MAX_REFERRAL_TARGET_DAYS = 365
MAX_LOST_MONTHS = 120
_DAYS_RANGE = [MinValueValidator(1), MaxValueValidator(MAX_REFERRAL_TARGET_DAYS)]
_TARGET_RANGE = [MinValueValidator(1), MaxValueValidator(MAX_READING_TARGET_H)]


def validate_timezone(name: str) -> None:
    """Raises ValidationError for a name that is not in the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Write it like Europe/Paris."), code="timezone", params={"name": name}
        )


class Site(MessageSettings, BaseModel):
    """A clinic that screens. Each patient belongs to one site.

    ``practice_of``: the site whose people practise here, with drawn photographs; what is done here never counts.

    ``reading_target_..._h``: hours from hand-over to the time at which an exam of this urgency should be read.
    ``referral_..._days``: days from the photographs until a referral is sent and the patient is seen, and from the
    examination to its result. Sources of the defaults: ``policy.worklist``, ``policy.recall``, ``policy.referrals``.
    """

    READING_TARGET_FIELDS = {
        Urgency.ROUTINE: "reading_target_routine_h",
        Urgency.SOON: "reading_target_soon_h",
        Urgency.IMMEDIATE: "reading_target_immediate_h",
    }

    RECALL_FIELDS = (
        "invite_before_days",
        "overdue_after_days",
        "reminder_after_days",
        "second_try_after_days",
        "phone_after_days",
        "lost_after_days",
        "lost_after_months",
    )

    class ReadingMode(models.TextChoices):
        """How the model's grade is shown to the reviewer (see docs/glossary.md)."""

        BLIND_FIRST = "blind_first", _("Blind first: the reviewer grades before seeing the model's grade")
        SIDE_BY_SIDE = "side_by_side", _("Side by side: the model's grade is shown at once")
        TRIAGE = "triage", _("Triage: as side by side, and likely negatives are read last")

    name = models.CharField(_("name"), max_length=120)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="sites", null=True, blank=True, verbose_name=_("programme")
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    reading_mode = models.CharField(
        _("reading mode"), max_length=20, choices=ReadingMode.choices, default=ReadingMode.BLIND_FIRST
    )
    model = models.CharField(
        _("model that grades exams"),
        max_length=8,
        choices=MODEL_CHOICES,
        default=ServedModel.ACCURATE.value,
        help_text=_("Photographs that are graded already keep their results."),
    )
    requires_macula = models.BooleanField(
        _("macula-centred photograph required"),
        default=True,
        help_text=_("Of each eye. The page of an exam says what is missing before it is handed over."),
    )
    requires_optic_disc = models.BooleanField(_("disc-centred photograph required"), default=False)
    required_facts = models.JSONField(
        _("facts required of a visit"),
        default=list,
        blank=True,
        help_text=_("Without one of them an exam is submitted only after a confirmation."),
    )
    photographers_see_grades = models.BooleanField(
        _("photographers see the model's grade"),
        null=True,
        blank=True,
        default=None,
        choices=[(True, _("Yes")), (False, _("No, only the quality")), (None, _("As usual: not at blind-first sites"))],
    )
    hides_identity = models.BooleanField(
        _("outside readers see no names"),
        default=True,
        help_text=_("They see age band and sex of a person. Without it they see what a reviewer sees."),
    )
    scale = models.CharField(
        _("grading scale"),
        max_length=8,
        choices=SCALE_CHOICES,
        default=GradingScale.ICDR.value,
        help_text=_("Signed results keep the scale in which they were signed."),
    )
    reading_target_routine_h = models.PositiveIntegerField(
        _("hours until a routine exam should be read"),
        default=DEFAULT_READING_HOURS[Urgency.ROUTINE],
        validators=_TARGET_RANGE,
    )
    reading_target_soon_h = models.PositiveIntegerField(
        _("hours until an exam that should be read soon is due"),
        default=DEFAULT_READING_HOURS[Urgency.SOON],
        validators=_TARGET_RANGE,
    )
    reading_target_immediate_h = models.PositiveIntegerField(
        _("hours until an exam that should be read immediately is due"),
        default=DEFAULT_READING_HOURS[Urgency.IMMEDIATE],
        validators=_TARGET_RANGE,
    )
    invite_before_days = models.PositiveSmallIntegerField(
        _("days before the due date at which people are invited"), default=_RECALL.invite_before_days
    )
    overdue_after_days = models.PositiveSmallIntegerField(
        _("days after the due date at which people are overdue"), default=_RECALL.overdue_after_days
    )
    reminder_after_days = models.PositiveSmallIntegerField(
        _("days from the invitation to the reminder"), default=_RECALL.reminder_after_days
    )
    second_try_after_days = models.PositiveSmallIntegerField(
        _("days from the reminder or a missed appointment to the second invitation"),
        default=_RECALL.second_try_after_days,
    )
    phone_after_days = models.PositiveSmallIntegerField(
        _("days from the second invitation to the telephone call"), default=_RECALL.phone_after_days
    )
    lost_after_days = models.PositiveSmallIntegerField(
        _("days after the telephone call at which people are lost to follow-up"), default=_RECALL.lost_after_days
    )
    lost_after_months = models.PositiveSmallIntegerField(
        _("months after the due date at which people are lost to follow-up, with or without contacts"),
        default=_RECALL.lost_after_months,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_LOST_MONTHS)],
    )
    referral_sent_soon_days = models.PositiveSmallIntegerField(
        _("days until a referral is sent"),
        default=DEFAULT_TARGETS[Urgency.SOON].sent,
        validators=_DAYS_RANGE,
        help_text=_("From the day of the photographs. Referrals that exist keep their days."),
    )
    referral_seen_soon_days = models.PositiveSmallIntegerField(
        _("days until a referred patient is seen"), default=DEFAULT_TARGETS[Urgency.SOON].seen, validators=_DAYS_RANGE
    )
    referral_sent_immediate_days = models.PositiveSmallIntegerField(
        _("days until an urgent referral is sent"),
        default=DEFAULT_TARGETS[Urgency.IMMEDIATE].sent,
        validators=_DAYS_RANGE,
    )
    referral_seen_immediate_days = models.PositiveSmallIntegerField(
        _("days until a patient who was referred urgently is seen"),
        default=DEFAULT_TARGETS[Urgency.IMMEDIATE].seen,
        validators=_DAYS_RANGE,
    )
    referral_result_days = models.PositiveSmallIntegerField(
        _("days from the examination to its result"), default=DEFAULT_RESULT_DAYS, validators=_DAYS_RANGE
    )
    practice_of = models.OneToOneField(
        "self", models.PROTECT, related_name="practice_site", null=True, editable=False, verbose_name=_("practice of")
    )
    is_first_run_closed = models.BooleanField(_("first steps are closed"), default=False, editable=False)
    is_active = models.BooleanField(_("is active"), default=True)

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reading_mode__in=["blind_first", "side_by_side", "triage"]),
                name="site_reading_mode_known",
            ),
            models.CheckConstraint(condition=models.Q(model__in=values(ServedModel)), name="site_model_known"),
            models.CheckConstraint(condition=models.Q(scale__in=values(GradingScale)), name="site_scale_known"),
            models.CheckConstraint(
                condition=models.Q(
                    reading_target_routine_h__gte=1, reading_target_soon_h__gte=1, reading_target_immediate_h__gte=1
                ),
                name="site_reading_targets_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(message_mode="off") | (~models.Q(message_sender="") & ~models.Q(message_phone="")),
                name="site_messages_have_sender",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def served_model(self) -> ServedModel:
        """The model that grades new photographs: ``model``, unless this installation has only the other one."""
        chosen = ServedModel(self.model)
        installed: tuple[ServedModel, ...] = settings.GRADING_MODELS
        return chosen if chosen in installed else installed[0]

    @property
    def hides_grades_from_photographers(self) -> bool:
        """Whether photographers see the quality of a photograph and not the model's grade."""
        if self.photographers_see_grades is None:
            return self.reading_mode == self.ReadingMode.BLIND_FIRST
        return not self.photographers_see_grades

    @property
    def is_blind_first(self) -> bool:
        return self.reading_mode == self.ReadingMode.BLIND_FIRST

    def reading_target(self, urgency: str) -> datetime.timedelta:
        """The time from hand-over until an exam of this urgency should be read."""
        return datetime.timedelta(hours=getattr(self, self.READING_TARGET_FIELDS[Urgency(urgency)]))

    def referral_target_days(self, urgency: str) -> tuple[int, int]:
        """Days from the photographs until a referral of this urgency is sent, and until the patient is seen."""
        if urgency == Urgency.IMMEDIATE:
            return self.referral_sent_immediate_days, self.referral_seen_immediate_days
        return self.referral_sent_soon_days, self.referral_seen_soon_days

    @property
    def recall_rules(self) -> RecallRules:
        """Days of call and recall."""
        return RecallRules(**{name: getattr(self, name) for name in self.RECALL_FIELDS})

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


class Membership(BaseModel):
    """One role of one user at one site; a user may hold several."""

    class Role(models.TextChoices):
        PHOTOGRAPHER = "photographer", _("Photographer")
        REVIEWER = "reviewer", _("Reviewer")
        SENIOR_REVIEWER = "senior_reviewer", _("Senior reviewer")
        MANAGER = "manager", _("Manager")
        OUTSIDE_READER = "outside_reader", _("Outside reader")
        TRAINEE = "trainee", _("Reader in training")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    site = models.ForeignKey(Site, models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["site__name", "user__username", "role"]
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "role"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(
                    role__in=["photographer", "reviewer", "senior_reviewer", "manager", "outside_reader", "trainee"]
                ),
                name="membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.site}"

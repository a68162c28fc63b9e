"""Referrals to a hospital, their append-only history, and what the hospital found."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.grades import GRADE_LABELS
from screening.labels.referrals import STATE_CHOICES, TREATMENT_CHOICES, Treatment, note_text
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES, OUTCOME_CHOICES, URGENCY_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.reviews import Review
from screening.models.sites import Site
from screening.policy import MacularOedema, Urgency
from screening.policy.referrals import CLOSED_STATES, REFERRAL_OUTCOMES, ReferralState

_IS_CLOSED = Q(state__in=sorted(values(CLOSED_STATES)))


class Referral(BaseModel):
    """What follows from a signed review that refers, until it is closed. Its patient is that of the exam.

    ``review`` is the review that counts, an amendment if it was continued. ``due_on`` is when the next step is due
    (``policy.referrals.next_due_on``), null if closed; whether it is late follows from it. ``late_since`` is set by the
    nightly task, so that each is reported once. An exam has at most one referral that is not withdrawn.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="referrals")
    exam = models.ForeignKey(Exam, models.PROTECT, related_name="referrals")
    review = models.ForeignKey(Review, models.PROTECT, related_name="referrals")
    outcome = models.CharField(_("outcome"), max_length=20, choices=OUTCOME_CHOICES)
    urgency = models.CharField(_("urgency"), max_length=12, choices=URGENCY_CHOICES)
    state = models.CharField(_("state"), max_length=12, choices=STATE_CHOICES, default=ReferralState.MADE.value)
    made_on = models.DateField(_("made on"))
    send_by = models.DateField(_("to be sent by"))
    see_by = models.DateField(_("to be seen by"))
    appointment_on = models.DateField(_("appointment on"), null=True, blank=True)
    result_by = models.DateField(_("result expected by"), null=True, blank=True)
    due_on = models.DateField(_("next step due on"), null=True, blank=True)
    late_since = models.DateField(_("reported as late since"), null=True, blank=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-created_at", "id"]
        indexes = [
            # The order of the list, for users of any number of sites, and the nightly task.
            models.Index(fields=["due_on", "made_on", "id"], name="referral_by_due_day", condition=~_IS_CLOSED),
            models.Index(fields=["site", "state", "due_on"], name="referral_by_state"),
            models.Index(fields=["-made_on", "id"], name="referral_newest"),
            models.Index(fields=["-created_at", "id"], name="referral_of_api"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["exam"], condition=~Q(state="withdrawn"), name="referral_one_of_exam"),
            models.CheckConstraint(condition=Q(state__in=values(ReferralState)), name="referral_state_known"),
            models.CheckConstraint(
                condition=Q(outcome__in=sorted(values(REFERRAL_OUTCOMES))), name="referral_outcome_refers"
            ),
            models.CheckConstraint(condition=Q(urgency__in=values(Urgency)), name="referral_urgency_known"),
            models.CheckConstraint(
                condition=(_IS_CLOSED & Q(due_on__isnull=True)) | (~_IS_CLOSED & Q(due_on__isnull=False)),
                name="referral_due_if_open",
            ),
        ]

    def __str__(self) -> str:
        return f"Referral {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED_STATES


class ReferralEvent(BaseModel):
    """One step in the history of a referral: who learned what, and when it happened. Append-only, by a trigger.

    ``happened_on`` is the day of the step, of a booking that of the appointment. ``from_state`` of the first is empty.
    """

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="events")
    from_state = models.CharField(_("from"), max_length=12, choices=STATE_CHOICES, blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=STATE_CHOICES)
    happened_on = models.DateField(_("happened on"))
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("step of a referral")
        verbose_name_plural = _("steps of referrals")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=values(ReferralState)), name="referral_event_state_known")
        ]

    def __str__(self) -> str:
        return f"Step {self.id}"

    @property
    def note_text(self) -> str:
        """The note; one of the system in the language of the reader."""
        return note_text(self.note)


class ReferralFeedback(BaseModel):
    """What the hospital found and did. Append-only, by a trigger: of several the newest counts.

    ``is_confirmed``: the hospital found what the patient was referred for. A grade is ICDR; null: not stated.
    """

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="feedback")
    examined_on = models.DateField(_("examined on"))
    is_confirmed = models.BooleanField(_("confirmed"))
    right_grade = models.PositiveSmallIntegerField(_("right eye: grade"), null=True, blank=True)
    left_grade = models.PositiveSmallIntegerField(_("left eye: grade"), null=True, blank=True)
    right_oedema = models.CharField(
        _("right eye: macular oedema"),
        max_length=12,
        choices=MACULAR_OEDEMA_CHOICES,
        default=MacularOedema.UNKNOWN.value,
    )
    left_oedema = models.CharField(
        _("left eye: macular oedema"),
        max_length=12,
        choices=MACULAR_OEDEMA_CHOICES,
        default=MacularOedema.UNKNOWN.value,
    )
    treatment = models.CharField(_("treatment"), max_length=12, choices=TREATMENT_CHOICES)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("result of a hospital")
        verbose_name_plural = _("results of hospitals")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(right_grade__isnull=True) | Q(right_grade__lte=4))
                & (Q(left_grade__isnull=True) | Q(left_grade__lte=4)),
                name="feedback_grade_0_to_4",
            ),
            models.CheckConstraint(
                condition=Q(right_oedema__in=values(MacularOedema), left_oedema__in=values(MacularOedema)),
                name="feedback_oedema_known",
            ),
            models.CheckConstraint(condition=Q(treatment__in=values(Treatment)), name="feedback_treatment_known"),
        ]

    def __str__(self) -> str:
        return f"Result {self.id}"

    @property
    def right_grade_text(self) -> str:
        """The grade in words; empty if it is not stated."""
        return "" if self.right_grade is None else str(GRADE_LABELS[self.right_grade])

    @property
    def left_grade_text(self) -> str:
        """The grade in words; empty if it is not stated."""
        return "" if self.left_grade is None else str(GRADE_LABELS[self.left_grade])


class LateReferralRun(models.Model):
    """The last run of the nightly task that reports late referrals: one row, which the health check reads."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    ran_at = models.DateTimeField(_("ran at"))
    n_reported = models.PositiveIntegerField(_("newly late"), default=0)

    class Meta:
        verbose_name = _("run of the search for late referrals")
        verbose_name_plural = _("runs of the search for late referrals")

    def __str__(self) -> str:
        return f"Run at {self.ran_at}"

"""Contacts with people in call and recall. Rows are added and never changed, by a trigger."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.recall import CHANNEL_CHOICES, KIND_CHOICES, RESULT_CHOICES
from screening.models.base import BaseModel
from screening.models.patients import Patient
from screening.policy.recall import ContactChannel, ContactKind, ContactResult


class ContactAttempt(BaseModel):
    """One contact with a person, or a missed appointment, with channel and result. Append-only.

    ``recorded_by`` is null for a message that was sent by the system.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="contacts")
    kind = models.CharField(_("kind"), max_length=12, choices=KIND_CHOICES)
    channel = models.CharField(_("channel"), max_length=8, choices=CHANNEL_CHOICES)
    result = models.CharField(_("result"), max_length=12, choices=RESULT_CHOICES)
    on = models.DateField(_("day"))
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("recorded by")
    )

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-on", "-created_at", "id"]
        indexes = [
            models.Index(fields=["patient", "-on", "-created_at"], name="contacts_of_patient"),
            models.Index(fields=["on"], name="invitations_of_day", condition=Q(kind="invitation")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=values(ContactKind)), name="contact_kind_known"),
            models.CheckConstraint(condition=Q(channel__in=values(ContactChannel)), name="contact_channel_known"),
            models.CheckConstraint(condition=Q(result__in=values(ContactResult)), name="contact_result_known"),
        ]

    def __str__(self) -> str:
        return f"Contact {self.id}"

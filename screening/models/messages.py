"""Messages to people, their texts, and the log of what became of each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.messages import (
    CHANNEL_CHOICES,
    KIND_CHOICES,
    REASON_CHOICES,
    STATE_CHOICES,
    TEXT_CHANNEL_CHOICES,
    TEXT_KIND_CHOICES,
)
from screening.labels.recall import STEP_CHOICES
from screening.models.base import BaseModel
from screening.models.contacts import ContactAttempt
from screening.models.patients import Patient
from screening.models.sites import Site
from screening.policy.letters import MAX_LETTER_CHARS, LetterKind
from screening.policy.message_texts import MAX_SUBJECT_CHARS
from screening.policy.messages import MessageChannel, MessageKind, MessageState

_IS_WAITING = Q(state__in=["queued", "sending"])


class MessageTemplate(BaseModel):
    """One version of the text of a site for a kind, a channel and a language. Append-only: the highest number counts.

    It is the text of a message, or of a letter if the channel is "letter". Without one, the built-in text counts.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="message_templates")
    kind = models.CharField(_("kind"), max_length=16, choices=TEXT_KIND_CHOICES)
    channel = models.CharField(_("channel"), max_length=8, choices=TEXT_CHANNEL_CHOICES)
    language = models.CharField(_("language"), max_length=16)
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=MAX_SUBJECT_CHARS, blank=True, default="")
    body = models.CharField(_("text"), max_length=MAX_LETTER_CHARS)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("text of messages")
        verbose_name_plural = _("texts of messages")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "channel", "language", "number"], name="message_template_version_once"
            ),
            models.CheckConstraint(
                condition=Q(channel="letter", kind__in=values(LetterKind))
                | Q(channel__in=values(MessageChannel), kind__in=values(MessageKind)),
                name="message_template_key_known",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="message_template_version_from_1"),
            models.CheckConstraint(condition=~Q(reason=""), name="message_template_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.site}, {self.kind}, {self.channel}, {self.language}, {self.number}"


class MessageBatch(BaseModel):
    """The messages that a person sent from the due list at once. Its id comes from the form: a repetition finds it."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="message_batches")
    n_queued = models.PositiveIntegerField(_("queued"))
    n_not_sent = models.PositiveIntegerField(_("not sent"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("batch of messages")
        verbose_name_plural = _("batches of messages")
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"Batch {self.id}"


class Message(BaseModel):
    """A message to a person. Neither its text nor the address is stored: both follow from template and patient.

    ``step`` is the step of call and recall that it carries out, empty for other kinds; ``contact`` the contact that it
    became. ``template`` and ``language`` are those with which it was sent; no template: the built-in text. ``channel``
    is empty if there is none. ``due_at``: when it is to be sent, or sent again. ``day`` is the day at the site of the
    newest attempt: a person is sent one message a day. ``queued_by`` is null for messages of the system.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="messages")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="messages")
    kind = models.CharField(_("kind"), max_length=16, choices=KIND_CHOICES)
    channel = models.CharField(_("channel"), max_length=8, choices=CHANNEL_CHOICES, blank=True, default="")
    step = models.CharField(_("step"), max_length=12, choices=STEP_CHOICES, blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=STATE_CHOICES)
    reason = models.CharField(_("reason"), max_length=16, choices=REASON_CHOICES, blank=True, default="")
    language = models.CharField(_("language"), max_length=16, blank=True, default="")
    template = models.ForeignKey(MessageTemplate, models.PROTECT, related_name="+", null=True, blank=True)
    appointment_at = models.DateTimeField(_("appointment"), null=True, blank=True)
    due_at = models.DateTimeField(_("to be sent at"), null=True, blank=True)
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    day = models.DateField(_("day"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    contact = models.OneToOneField(ContactAttempt, models.PROTECT, related_name="message", null=True, blank=True)
    batch = models.ForeignKey(MessageBatch, models.PROTECT, related_name="messages", null=True, blank=True)
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("queued by")
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["site", "-created_at", "id"], name="messages_of_site"),
            models.Index(fields=["patient", "-created_at", "id"], name="messages_of_patient"),
            models.Index(fields=["due_at"], name="messages_waiting", condition=_IS_WAITING),
        ]
        constraints = [
            models.UniqueConstraint(fields=["patient", "kind"], condition=_IS_WAITING, name="message_waits_once"),
            models.UniqueConstraint(
                fields=["patient", "day"], condition=Q(state__in=["sending", "sent"]), name="message_once_a_day"
            ),
            models.CheckConstraint(condition=Q(kind__in=values(MessageKind)), name="message_kind_known"),
            models.CheckConstraint(condition=Q(state__in=values(MessageState)), name="message_state_known"),
            models.CheckConstraint(
                condition=(_IS_WAITING & Q(due_at__isnull=False)) | (~_IS_WAITING & Q(due_at__isnull=True)),
                name="message_due_if_waiting",
            ),
            models.CheckConstraint(
                condition=Q(kind="appointment", appointment_at__isnull=False)
                | (~Q(kind="appointment") & Q(appointment_at__isnull=True)),
                name="message_has_appointment",
            ),
        ]

    def __str__(self) -> str:
        return f"Message {self.id}"


class MessageEvent(BaseModel):
    """One line of the log of a message: its state from then on, and why. Append-only, by a trigger."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="events")
    state = models.CharField(_("state"), max_length=8, choices=STATE_CHOICES)
    reason = models.CharField(_("reason"), max_length=16, choices=REASON_CHOICES, blank=True, default="")

    class Meta:
        verbose_name = _("event of a message")
        verbose_name_plural = _("events of messages")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=values(MessageState)), name="message_event_state_known")
        ]

    def __str__(self) -> str:
        return f"Event {self.id}"

"""Sending of queued messages, again after a temporary failure, and what becomes of each.

A message is claimed in a transaction, handed over outside of one, and its result is stored in another. If the process
ends between the second and the third, nothing can show whether it was sent: it is sent once more, with the same id
(``Message-ID``, or the key for the provider), because an invitation that is lost does more harm than one that comes
twice. Nothing else sends twice: two workers cannot claim one message, and a person gets one message a day.
"""

import datetime
import logging
import time
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from screening.message_hook import OutgoingMessage, Rejected, TemporaryFailure
from screening.models import AuditEvent, Booking, ContactAttempt, Message, Patient
from screening.policy.bookings import BookingStatus
from screening.policy.messages import (
    INTERRUPTED_AFTER_MINUTES,
    MAX_ATTEMPTS,
    WAITING_STATES,
    MessageChannel,
    MessageReason,
    MessageState,
    retry_at,
)
from screening.policy.recall import KIND_OF_STEP, ContactResult, NextStep
from screening.selectors.due_list import TO_CALL, with_state
from screening.services.audit import record_event
from screening.services.message_channels import mobile_of, send_email, send_sms
from screening.services.message_plans import SiteFacts, channel_to, site_facts
from screening.services.message_texts import FilledText, message_text
from screening.services.messages import close_message, log_event
from screening.services.recalls import update_recall

logger = logging.getLogger(__name__)
MAX_IN_RUN, MAX_RUN_S = 500, 20
"""Messages and seconds of one run of the task, every two minutes: photographs wait meanwhile if there is one worker."""


def send_messages(*, limit: int = MAX_IN_RUN) -> int:
    """Send the messages that are due, those that wait longest first; returns how many were sent."""
    due = Message.objects.filter(state__in=WAITING_STATES, due_at__lte=timezone.now()).order_by("due_at", "pk")
    n_sent, ends_at = 0, time.monotonic() + MAX_RUN_S
    for message_id in list(due.values_list("pk", flat=True)[:limit]):
        if time.monotonic() > ends_at:
            break
        n_sent += send_message(message_id=message_id)
    return n_sent


def send_message(*, message_id: uuid.UUID) -> bool:
    """Send one message if it is due and may be sent now; whether it was sent."""
    try:
        with transaction.atomic():
            claimed = _claim(message_id)
    except IntegrityError:  # another message to this person was claimed at this moment
        return False
    if claimed is None:
        return False
    message, text, address = claimed
    outgoing = OutgoingMessage(str(message.pk), address, message.site.message_sender, text.body)
    try:
        if message.channel == MessageChannel.EMAIL:
            send_email(outgoing, subject=text.subject)
        else:
            send_sms(outgoing)
    except Rejected:
        _store_result(message, MessageState.FAILED, MessageReason.REJECTED)
    except TemporaryFailure:
        _store_temporary_failure(message)
    else:
        _store_result(message, MessageState.SENT)
        return True
    return False


def _claim(message_id: uuid.UUID) -> tuple[Message, FilledText, str] | None:
    """The message with its text and address, claimed for this process; None if it is not to be sent now."""
    now = timezone.now()
    waiting = Message.objects.filter(pk=message_id, state__in=WAITING_STATES, due_at__lte=now)
    patient_id = waiting.values_list("patient", flat=True).first()
    if patient_id is None:
        return None
    patient: Any = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient_id)
    message = waiting.select_for_update(of=("self",)).select_related("site").first()
    if message is None:  # another process was first
        return None
    message.patient = patient
    local = timezone.localtime(now, message.site.zone)
    facts = site_facts(message.site)
    reason = _refusal(message, facts, now)
    if reason is not None:
        is_failure = reason is MessageReason.TEMPORARY
        _close_unsent(message, MessageState.FAILED if is_failure else MessageState.NOT_SENT, reason)
        return None
    later = _later(message, local)
    if later is not None:
        message.state, message.due_at = MessageState.QUEUED.value, later
        message.save(update_fields=["state", "due_at"])
        return None
    template, text = message_text(message)
    message.template, message.language = template.stored, template.language
    message.state, message.day = MessageState.SENDING.value, local.date()
    message.due_at = now + datetime.timedelta(minutes=INTERRUPTED_AFTER_MINUTES)
    message.n_attempts += 1
    message.save()
    log_event(message)
    return message, text, patient.email if message.channel == MessageChannel.EMAIL else mobile_of(patient)


def _refusal(message: Message, facts: SiteFacts, now: datetime.datetime) -> MessageReason | None:
    """Why a queued message may not be sent any more: rules and facts may have changed since."""
    if message.n_attempts >= MAX_ATTEMPTS:
        return MessageReason.TEMPORARY
    if message.patient.merged_into_id is not None:
        return MessageReason.OUTDATED
    if message.appointment_at is not None and _is_appointment_over(message, now):
        return MessageReason.OUTDATED
    channel = channel_to(message.patient, facts)
    if isinstance(channel, MessageReason):
        return channel
    message.channel = channel.value
    return MessageReason.OUTDATED if message.step and not _is_still_next(message, facts.today) else None


def _is_appointment_over(message: Message, now: datetime.datetime) -> bool:
    """Whether the appointment has passed, or the booking of its day was cancelled."""
    assert message.appointment_at is not None  # noqa: S101 (for the type)
    day = timezone.localdate(message.appointment_at, message.site.zone)
    statuses = set(Booking.objects.filter(patient=message.patient, day=day).values_list("status", flat=True))
    is_cancelled = bool(statuses) and BookingStatus.BOOKED.value not in statuses
    return message.appointment_at <= now or is_cancelled


def _is_still_next(message: Message, today: datetime.date) -> bool:
    """Whether the step of a message is still to be made: the person may have come, or was called, meanwhile."""
    people: Any = with_state(Patient.objects.filter(pk=message.patient_id), message.site)
    return bool(people.filter(state__in=TO_CALL, next_step=message.step, next_step_on__lte=today).exists())


def _later(message: Message, local: datetime.datetime) -> datetime.datetime | None:
    """When the message is sent if that is not now: after the quiet hours, or on the next day after another one."""
    quiet = message.site.quiet_hours
    if (end := quiet.end(local)) is not None:
        return end
    others = Message.objects.filter(patient=message.patient, day=local.date()).exclude(pk=message.pk)
    is_sent_today = others.filter(state__in=[MessageState.SENDING.value, MessageState.SENT.value]).exists()
    return quiet.next_day(local) if is_sent_today else None


@transaction.atomic
def _store_result(claimed: Message, state: MessageState, reason: MessageReason | None = None) -> None:
    message = _lock(claimed.pk)
    if _is_superseded(message, claimed, state):
        return
    result = ContactResult.SENT if state is MessageState.SENT else ContactResult.RETURNED
    if state is MessageState.SENT:
        message.sent_at = timezone.now()
    if message.step:
        message.contact = _add_contact(message, result)
    if state is MessageState.SENT:
        close_message(message, state)
        _record(message, AuditEvent.Verb.MESSAGE_SENT)
    else:
        _close_unsent(message, state, reason or MessageReason.TEMPORARY)
    if message.contact_id is not None:
        update_recall(message.patient_id)


@transaction.atomic
def _store_temporary_failure(claimed: Message) -> None:
    message = _lock(claimed.pk)
    if _is_superseded(message, claimed, MessageState.QUEUED):
        return
    again_at = retry_at(timezone.now(), message.n_attempts)
    if again_at is None:
        _close_unsent(message, MessageState.FAILED, MessageReason.TEMPORARY)
        return
    message.state, message.reason, message.due_at = MessageState.QUEUED.value, MessageReason.TEMPORARY.value, again_at
    message.save()
    log_event(message)


def _is_superseded(message: Message, claimed: Message, state: MessageState) -> bool:
    """Whether a result came so late that another process has sent the message meanwhile, or tries to.

    That a message was sent is stored all the same, unless it is already.
    """
    is_own = message.state == MessageState.SENDING and message.n_attempts == claimed.n_attempts
    is_superseded = message.state == MessageState.SENT or not (is_own or state is MessageState.SENT)
    if is_superseded:
        logger.warning("Message %s was taken over by another process: a late result is dropped", message.pk)
    return is_superseded


def _lock(message_id: uuid.UUID) -> Message:
    patient_id = Message.objects.values_list("patient", flat=True).get(pk=message_id)
    Patient.objects.select_for_update().get(pk=patient_id)  # first, as in a claim
    rows = Message.objects.select_for_update(of=("self",)).select_related("site", "patient", "queued_by")
    return rows.get(pk=message_id)


def _add_contact(message: Message, result: ContactResult) -> ContactAttempt:
    """The contact of the due list that a message is; call ``update_recall`` afterwards."""
    return ContactAttempt.objects.create(
        patient=message.patient,
        kind=KIND_OF_STEP[NextStep(message.step)].value,
        channel=message.channel,
        result=result.value,
        on=message.day or timezone.localdate(timezone=message.site.zone),
        recorded_by=message.queued_by,
    )


def _close_unsent(message: Message, state: MessageState, reason: MessageReason) -> None:
    close_message(message, state, reason)
    _record(message, AuditEvent.Verb.MESSAGE_FAILED)


def _record(message: Message, verb: AuditEvent.Verb) -> None:
    data: dict[str, str | float | bool | None] = {
        "message": str(message.pk),
        "kind": message.kind,
        "channel": message.channel,
        "reason": message.reason,
    }
    record_event(verb=verb, subject=message.patient, site=message.site, data=data, by=None)

"""Messages to people: queuing them from the due list or for one person, and cancelling one that waits."""

import datetime
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.messages import REASON_LABELS
from screening.models import AuditEvent, Message, MessageBatch, MessageEvent, Patient, Site, User
from screening.policy.messages import (
    KINDS_OF_ONE,
    WAITING_STATES,
    MessageChannel,
    MessageKind,
    MessageReason,
    MessageState,
)
from screening.selectors.due_list import DueFilters, due_list
from screening.services.audit import record_event
from screening.services.message_plans import (
    MessagePlan,
    SiteFacts,
    channel_to,
    people_with_step,
    plan_message,
    site_facts,
    with_plan_facts,
)

MAX_BATCH = 2000
"""People in one batch: those who are due longest come first, and the next batch has the others."""
CHUNK = 500
MAX_DAYS_AHEAD = 730
"""Of an appointment: one that is further away is a slip of the pen."""


class MessageRefused(ValueError):
    """A message is not queued. ``field`` is what is wrong; the message is for the user."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """How many people of a list would get a message by each channel, and how many not and why."""

    channels: dict[MessageChannel, int]
    reasons: dict[MessageReason, int]
    is_cut: bool

    @property
    def n_messages(self) -> int:
        return sum(self.channels.values())


def preview_batch(*, site: Site, filters: DueFilters, by: User) -> BatchPreview:
    """What ``queue_batch`` would do now. Stores only its audit event. Raises AccessDenied."""
    require(by, Action.MANAGE_REGISTER, site)
    people = _people(site, filters, by)
    plans = _plans(people[:MAX_BATCH], site_facts(site))
    preview = _preview([plan for _person, plan in plans], is_cut=len(people) > MAX_BATCH)
    data = {"n_found": min(len(people), MAX_BATCH), "n_messages": preview.n_messages}
    record_event(verb=AuditEvent.Verb.MESSAGES_PREVIEWED, subject=site, site=site, data=data, by=by)
    return preview


@transaction.atomic
def queue_batch(*, site: Site, filters: DueFilters, batch_id: uuid.UUID, by: User) -> MessageBatch:
    """Queue the messages of the people of a due list; a repetition with the same id returns the batch that there is.

    A person who can get none has a row too, with the reason. Raises MessageRefused, AccessDenied.
    """
    require(by, Action.MANAGE_REGISTER, site)
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)  # of two at once, the second sees the first
    existing = MessageBatch.objects.filter(pk=batch_id).first()
    if existing is not None:
        if existing.site_id != site.pk or existing.created_by_id != by.pk:
            raise MessageRefused(_("This form was used already. Open the preview again."))
        return existing
    if not site.sends_messages:
        raise MessageRefused(str(REASON_LABELS[MessageReason.SITE_OFF]))
    facts = site_facts(site)
    plans = _plans(_people(site, filters, by)[:MAX_BATCH], facts)
    rows = [_row(person, plan, by) for person, plan in plans if plan.kind is not None]
    n_queued = sum(row.state == MessageState.QUEUED for row in rows)
    batch = MessageBatch.objects.create(
        id=batch_id, site=site, n_queued=n_queued, n_not_sent=len(plans) - n_queued, created_by=by
    )
    for row in rows:
        row.batch = batch
    _store(rows)
    data = {"n_queued": n_queued, "n_not_sent": batch.n_not_sent}
    record_event(verb=AuditEvent.Verb.MESSAGES_QUEUED, subject=batch, site=site, data=data, by=by)
    return batch


def queue_due(*, site: Site) -> int:
    """Queue the messages of all people of a site whose next step is due; returns how many. Safe to repeat.

    A person without a channel has one row with the reason for each step, and no second one with the same reason; one
    whose message failed has no second one: a person decides what follows. In batches of one transaction each.
    """
    facts, n_queued = site_facts(site), 0
    ids = list(people_with_step(site, facts.today).order_by("due_on", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        n_queued += _queue_due_people(facts, ids[start : start + CHUNK])
    return n_queued


@transaction.atomic
def _queue_due_people(facts: SiteFacts, ids: list[uuid.UUID]) -> int:
    Site.objects.select_for_update(no_key=True).get(pk=facts.site.pk)  # of two at once, the second sees the first
    people = with_plan_facts(people_with_step(facts.site, facts.today).filter(pk__in=ids))
    rows = [_row(one, plan, None) for one, plan in _plans(people, facts) if plan.kind and not _is_known(one, plan)]
    _store(rows)
    n_queued = sum(row.state == MessageState.QUEUED for row in rows)
    if rows:
        data = {"n_queued": n_queued, "n_not_sent": len(rows) - n_queued}
        record_event(verb=AuditEvent.Verb.MESSAGES_QUEUED, subject=facts.site, site=facts.site, data=data, by=None)
    return n_queued


@transaction.atomic
def queue_message(
    *, patient: Patient, kind: MessageKind, appointment_at: datetime.datetime | None = None, by: User
) -> Message:
    """Queue a message of one of ``KINDS_OF_ONE``. Raises MessageRefused, AccessDenied."""
    require(by, Action.MANAGE_REGISTER, patient.site)
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    if kind not in KINDS_OF_ONE or locked.merged_into_id is not None:
        raise MessageRefused(_("This message follows from the due list. Send it from there."), "kind")
    _check_facts(locked, kind, appointment_at)
    channel = channel_to(locked, site_facts(locked.site))
    if isinstance(channel, MessageReason):
        raise MessageRefused(str(REASON_LABELS[channel]) + ".", "kind")
    if Message.objects.filter(patient=locked, kind=kind.value, state__in=WAITING_STATES).exists():
        raise MessageRefused(str(REASON_LABELS[MessageReason.WAITING]) + ".", "kind")
    message = Message(
        site=locked.site,
        patient=locked,
        kind=kind.value,
        channel=channel.value,
        state=MessageState.QUEUED.value,
        appointment_at=appointment_at,
        due_at=timezone.now(),
        queued_by=by,
    )
    _store([message])
    data = {"message": str(message.pk), "kind": kind.value, "channel": channel.value}
    record_event(verb=AuditEvent.Verb.MESSAGE_QUEUED, subject=locked, site=locked.site, data=data, by=by)
    return message


@transaction.atomic
def cancel_message(*, message: Message, by: User) -> Message:
    """Cancel a message that waits. Raises MessageRefused if it was sent meanwhile, AccessDenied."""
    require(by, Action.MANAGE_REGISTER, message.site)
    locked = Message.objects.select_for_update(of=("self",)).select_related("site", "patient").get(pk=message.pk)
    if locked.state != MessageState.QUEUED:
        raise MessageRefused(_("This message does not wait any more. It cannot be cancelled."))
    close_message(locked, MessageState.NOT_SENT, MessageReason.CANCELLED)
    data = {"message": str(locked.pk), "kind": locked.kind}
    record_event(verb=AuditEvent.Verb.MESSAGE_CANCELLED, subject=locked.patient, site=locked.site, data=data, by=by)
    return locked


def close_message(message: Message, state: MessageState, reason: MessageReason | None = None) -> None:
    """Store that a locked message is not sent any more, or was sent, with a line in its log."""
    message.state, message.reason, message.due_at = state.value, reason or "", None
    message.save()
    log_event(message)


def log_event(message: Message) -> None:
    """Add a line with the present state to the log of a message."""
    MessageEvent.objects.create(message=message, state=message.state, reason=message.reason)


def _people(site: Site, filters: DueFilters, by: User) -> list[Any]:
    """People of the list with what a plan needs, at most one more than a batch has."""
    return list(with_plan_facts(due_list(user=by, site=site, filters=filters))[: MAX_BATCH + 1])


def _plans(people: Iterable[Any], facts: SiteFacts) -> list[tuple[Any, MessagePlan]]:
    return [(person, plan_message(person, facts)) for person in people]


def _preview(plans: list[MessagePlan], *, is_cut: bool) -> BatchPreview:
    channels = Counter(plan.channel for plan in plans)
    reasons = Counter(plan.reason for plan in plans)
    return BatchPreview(
        {one: channels[one] for one in MessageChannel},
        {one: reasons[one] for one in MessageReason if reasons[one]},
        is_cut,
    )


def _row(person: Patient, plan: MessagePlan, by: User | None) -> Message:
    kind, step = plan.kind or "", plan.step or ""
    row = Message(site=person.site, patient=person, kind=str(kind), step=str(step), queued_by=by)
    if plan.channel is not None:
        row.channel, row.state, row.due_at = plan.channel.value, MessageState.QUEUED.value, timezone.now()
    else:
        row.state, row.reason = MessageState.NOT_SENT.value, plan.reason or ""
    return row


def _store(rows: list[Message]) -> None:
    Message.objects.bulk_create(rows, batch_size=CHUNK)
    events = [MessageEvent(message=row, state=row.state, reason=row.reason) for row in rows]
    MessageEvent.objects.bulk_create(events, batch_size=CHUNK)


def _is_known(person: Any, plan: MessagePlan) -> bool:
    """Whether a message for this step was made in this cycle, and failed or was not sent for the same reason."""
    if person.newest_state is None:
        return False
    is_reachable_now = person.newest_state == MessageState.NOT_SENT and person.newest_reason != plan.reason
    return not is_reachable_now or person.newest_reason == MessageReason.CANCELLED


def _check_facts(patient: Patient, kind: MessageKind, appointment_at: datetime.datetime | None) -> None:
    if kind is MessageKind.RESULT_READY and patient.screened_on is None:
        raise MessageRefused(str(REASON_LABELS[MessageReason.NO_RESULT]) + ".", "kind")
    if (kind is MessageKind.APPOINTMENT) != (appointment_at is not None):
        raise MessageRefused(_("An appointment has a day and a time, other messages have none."), "day")
    if appointment_at is None:
        return
    now = timezone.now()
    if appointment_at <= now:
        raise MessageRefused(_("This appointment has passed. Check day and time."), "day")
    if appointment_at > now + datetime.timedelta(days=MAX_DAYS_AHEAD):
        raise MessageRefused(_("This appointment is more than two years away. Check the date."), "day")

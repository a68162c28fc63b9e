"""What is to be sent to a person today, by which channel, or why nothing is: for preview, queue and sending."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import DateField, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from screening.models import ContactAttempt, Message, Patient, Site
from screening.policy.messages import (
    STEPS_WITH_MESSAGE,
    WAITING_STATES,
    MessageChannel,
    MessageKind,
    MessageReason,
    MessageState,
    choose_channel,
    kind_of_step,
    may_get_messages,
)
from screening.policy.recall import ContactKind, NextStep, RecallState
from screening.selectors.due_list import TO_CALL, with_state
from screening.services.message_channels import available_channels, channel_facts


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """A message of the due list: by ``channel``, or not for ``reason``. ``kind``: None if there is none to make."""

    kind: MessageKind | None = None
    step: NextStep | None = None
    channel: MessageChannel | None = None
    reason: MessageReason | None = None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What is the same for all people of a site."""

    site: Site
    today: datetime.date
    available: Collection[MessageChannel]


def site_facts(site: Site) -> SiteFacts:
    """Of today."""
    return SiteFacts(site, timezone.localdate(timezone=site.zone), available_channels())


def with_plan_facts(people: QuerySet[Patient]) -> QuerySet[Patient]:
    """People of the due list (with ``state``), annotated for ``plan_message``.

    ``newest_state`` and ``newest_reason`` are those of the newest message for the present step that was not sent. One
    that was sent is a contact, after which another step is next: if this one is next again, it was of an earlier cycle.
    """
    contacts = ContactAttempt.objects.filter(patient=OuterRef("pk")).order_by("-on", "-created_at")
    result_on = Coalesce(OuterRef("screened_on"), Value(datetime.date.min), output_field=DateField())
    messages = (
        Message.objects.filter(patient=OuterRef("pk"), step=OuterRef("next_step"))
        .filter(created_at__date__gte=OuterRef("next_step_on"), created_at__date__gt=result_on)
        .exclude(state=MessageState.SENT.value)
        .order_by("-created_at")
    )
    waiting = Message.objects.filter(patient=OuterRef("pk"), state__in=WAITING_STATES).exclude(step="")
    return people.select_related("site").annotate(
        last_contact=Subquery(contacts.values("kind")[:1]),
        is_waiting=Exists(waiting),
        newest_state=Subquery(messages.values("state")[:1]),
        newest_reason=Subquery(messages.values("reason")[:1]),
    )


def people_with_step(site: Site, today: datetime.date) -> QuerySet[Patient]:
    """People of a site whose next step is due and can be a message, with ``state``."""
    people: Any = with_state(Patient.objects.filter(site=site, merged_into__isnull=True), site)
    steps = [step.value for step in STEPS_WITH_MESSAGE]
    found: QuerySet[Patient] = people.filter(state__in=TO_CALL, next_step__in=steps, next_step_on__lte=today)
    return found


def plan_message(person: Any, facts: SiteFacts) -> MessagePlan:
    """The message of the due list to a person ``with_plan_facts``, or why there is none."""
    refusal = _general_refusal(person, facts)
    if refusal is not None:
        return MessagePlan(reason=refusal)
    due = due_message(person, facts.today)
    if due is None:
        return MessagePlan(reason=MessageReason.NOTHING_TO_DO)
    if person.is_waiting:
        return MessagePlan(reason=MessageReason.WAITING)
    kind, step = due
    channel = channel_to(person, facts)
    if isinstance(channel, MessageReason):
        return MessagePlan(kind, step, reason=channel)
    return MessagePlan(kind, step, channel)


def due_message(person: Any, today: datetime.date) -> tuple[MessageKind, NextStep] | None:
    """The message, by any channel or by letter, that is to be made today to a person ``with_plan_facts``, if any."""
    is_to_do = (
        RecallState(person.state) in TO_CALL
        and person.next_step in STEPS_WITH_MESSAGE
        and person.next_step_on is not None
        and person.next_step_on <= today
    )
    if not is_to_do:
        return None
    step = NextStep(person.next_step)
    kind = kind_of_step(step, None if person.last_contact is None else ContactKind(person.last_contact))
    return None if kind is None else (kind, step)


def channel_to(person: Patient, facts: SiteFacts) -> MessageChannel | MessageReason:
    """The channel to a person, or why there is none."""
    return _general_refusal(person, facts) or choose_channel(
        channel_facts(person), available=facts.available, needs_consent=facts.site.messages_need_consent
    )


def _general_refusal(person: Patient, facts: SiteFacts) -> MessageReason | None:
    if not facts.site.sends_messages:
        return MessageReason.SITE_OFF
    return None if may_get_messages(person.register_status_on(facts.today)) else MessageReason.NOT_INVITED

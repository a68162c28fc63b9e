"""Messages of a site or of one person: the log with its filters and numbers, and the texts."""

import uuid
from dataclasses import dataclass

from django.db.models import Count, Prefetch, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import Message, MessageEvent, MessageTemplate, Patient, Site, User
from screening.policy.letters import TextChannel, TextKind
from screening.policy.messages import MessageChannel, MessageKind, MessageReason, MessageState
from screening.selectors.drafts import is_read_late


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilters:
    """Filters of the log. Nothing in it identifies a patient: it can be part of an address."""

    state: MessageState | None = None
    kind: MessageKind | None = None
    channel: MessageChannel | None = None
    reason: MessageReason | None = None


def list_messages(*, user: User, site: Site, filters: MessageFilters) -> QuerySet[Message]:
    """Messages of a site that match, newest first, with patient and who queued each."""
    rows = _messages(user).filter(site=site)
    chosen = {name: getattr(filters, name) for name in ("state", "kind", "channel", "reason")}
    return rows.filter(**{name: code.value for name, code in chosen.items() if code is not None})


def count_message_states(*, user: User, site: Site) -> dict[MessageState, int]:
    """Number of messages in each state; one query."""
    found = dict(_messages(user).filter(site=site).order_by().values_list("state").annotate(n=Count("pk")))
    return {state: found.get(state.value, 0) for state in MessageState}


def messages_of_patient(*, user: User, patient: Patient) -> QuerySet[Message]:
    """Messages to one person, newest first, with their log."""
    events = Prefetch("events", MessageEvent.objects.order_by("created_at", "pk"))
    return _messages(user).filter(patient=patient).prefetch_related(events)


def get_message(*, user: User, message_id: uuid.UUID) -> Message:
    """A message of the user's sites. Raises Http404."""
    return get_object_or_404(_messages(user), pk=message_id)


def list_texts(*, user: User, site: Site, kind: TextKind, channel: TextChannel) -> QuerySet[MessageTemplate]:
    """All versions of a text in each language, newest first."""
    rows = restrict(MessageTemplate.objects.filter(site=site, kind=kind.value, channel=channel.value), user)
    return rows.select_related("created_by").order_by("-created_at", "pk")


def newest_texts(*, user: User, site: Site, language: str) -> dict[tuple[str, str], MessageTemplate]:
    """The newest version of each text of a site in a language, by kind and channel; one query."""
    rows = restrict(MessageTemplate.objects.filter(site=site, language=language), user)
    return {(row.kind, row.channel): row for row in rows.select_related("created_by").order_by("number")}


def _messages(user: User) -> QuerySet[Message]:
    """Without those to people whose exam ``user`` was reading when a colleague signed it: they follow from it."""
    rows = restrict(Message.objects.exclude(is_read_late(user, patient="patient")), user)
    return rows.select_related("site", "patient", "queued_by").order_by("-created_at", "pk")


def newest_text_of_site(*, user: User, site: Site) -> MessageTemplate | None:
    """The text of a site that was stored last; None if it has stored none."""
    rows = restrict(MessageTemplate.objects.filter(site=site), user)
    return rows.select_related("created_by").order_by("-created_at", "pk").first()

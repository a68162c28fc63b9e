"""Messages to people: kinds, who may get one, by which channel, and when it is sent or sent again."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from screening.policy.recall import ContactKind, NextStep
from screening.policy.register import RegisterStatus


class MessageKind(StrEnum):
    """What a message is about."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    DID_NOT_ATTEND = "did_not_attend"
    RESULT_READY = "result_ready"
    """That a result is there, without the result."""
    APPOINTMENT = "appointment"


class MessageChannel(StrEnum):
    """How a message is sent; the codes are those of ``recall.ContactChannel``."""

    EMAIL = "email"
    SMS = "sms"


class MessageMode(StrEnum):
    """Whether a site sends messages."""

    OFF = "off"
    MANUAL = "manual"
    """A person sends them, from the due list or for one patient."""
    AUTOMATIC = "automatic"
    """Those of the due list are sent by themselves on the day of the next step, others by a person."""


class MessageConsent(StrEnum):
    """What a person has decided about messages by one channel."""

    UNKNOWN = ""
    GIVEN = "yes"
    REFUSED = "no"


class MessageState(StrEnum):
    """The progress of a message."""

    QUEUED = "queued"
    SENDING = "sending"
    """Handed to the mail server or the hook at this moment. After an interruption it is sent again."""
    SENT = "sent"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    """The rules do not allow it."""


WAITING_STATES = (MessageState.QUEUED, MessageState.SENDING)


class MessageReason(StrEnum):
    """Why a message is not sent, was not sent, or is sent later."""

    SITE_OFF = "site_off"
    NOT_INVITED = "not_invited"
    """Deceased, moved, excluded, suspended or opted out of screening."""
    NOTHING_TO_DO = "nothing_to_do"
    """Of the due list: no contact by message is to be made today."""
    NO_CHANNEL = "no_channel"
    """The installation has no mail server or no hook for the addresses that the person has."""
    BAD_ADDRESS = "bad_address"
    NO_CONSENT = "no_consent"
    REFUSED = "refused"
    NO_ADDRESS = "no_address"
    WAITING = "waiting"
    """A message of this kind to this person waits already."""
    NO_RESULT = "no_result"
    OUTDATED = "outdated"
    """What it was about has passed or changed before it was sent."""
    REJECTED = "rejected"
    """The mail server or the hook refused the address."""
    TEMPORARY = "temporary"
    """The mail server or the hook was unavailable; after the last attempt the message failed."""
    CANCELLED = "cancelled"


_M, _K = MessageKind, ContactKind
STEPS_WITH_MESSAGE = (NextStep.INVITE, NextStep.REMIND, NextStep.SECOND_TRY)
"""Steps of call and recall that a message can carry out."""
KINDS_OF_ONE = (MessageKind.APPOINTMENT, MessageKind.RESULT_READY)
"""Kinds that a person sends to one patient; the others follow from the next step."""
MAX_ATTEMPTS = 5
RETRY_MINUTES = (5, 30, 120, 480)
"""After each attempt that failed for a temporary reason: 10.5 hours in all, over a night of a mail server."""
INTERRUPTED_AFTER_MINUTES = 15
"""A message that is still "sending" then was interrupted. Far above the time limits of a mail server and of a hook."""
_NEAREST_REASONS = (
    MessageReason.NO_CHANNEL,
    MessageReason.BAD_ADDRESS,
    MessageReason.NO_CONSENT,
    MessageReason.REFUSED,
    MessageReason.NO_ADDRESS,
)
"""Of the reasons of all channels, the one that is nearest to a message counts."""


def kind_of_step(step: NextStep, last_contact: ContactKind | None) -> MessageKind | None:
    """The message that carries out a step; None if none does. ``last_contact`` is that of the present cycle."""
    if step not in STEPS_WITH_MESSAGE:
        return None
    if step is NextStep.REMIND:
        return _M.REMINDER
    return _M.DID_NOT_ATTEND if step is NextStep.SECOND_TRY and last_contact is _K.NO_SHOW else _M.INVITATION


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What is known about one channel to a person."""

    has_address: bool
    is_valid: bool
    consent: MessageConsent


def choose_channel(
    facts: dict[MessageChannel, ChannelFacts], *, available: Collection[MessageChannel], needs_consent: bool
) -> MessageChannel | MessageReason:
    """The first channel by which the person may and can be reached, e-mail first; else why there is none."""
    reasons = set()
    for channel in MessageChannel:
        reason = _channel_reason(facts[channel], is_available=channel in available, needs_consent=needs_consent)
        if reason is None:
            return channel
        reasons.add(reason)
    return next(reason for reason in _NEAREST_REASONS if reason in reasons)


def _channel_reason(facts: ChannelFacts, *, is_available: bool, needs_consent: bool) -> MessageReason | None:
    if facts.consent is MessageConsent.REFUSED:
        return MessageReason.REFUSED
    if not facts.has_address:
        return MessageReason.NO_ADDRESS
    if facts.consent is MessageConsent.UNKNOWN and needs_consent:
        return MessageReason.NO_CONSENT
    if not facts.is_valid:
        return MessageReason.BAD_ADDRESS
    return None if is_available else MessageReason.NO_CHANNEL


def may_get_messages(status: RegisterStatus) -> bool:
    """Whether a person with this status today may get a message of any kind."""
    return status is RegisterStatus.ELIGIBLE


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day in which nothing is sent, from ``from_h`` until ``until_h``; none if they are the same."""

    from_h: int
    until_h: int

    def end(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the quiet hours of ``now``, a local time, end; None if it is not quiet."""
        if self.from_h == self.until_h:
            return None
        is_over_night = self.from_h > self.until_h
        is_late, is_early = now.hour >= self.from_h, now.hour < self.until_h
        if not (is_late or is_early if is_over_night else is_late and is_early):
            return None
        day = now.date() + datetime.timedelta(days=1 if is_over_night and is_late else 0)
        return datetime.datetime.combine(day, datetime.time(self.until_h), tzinfo=now.tzinfo)

    def next_day(self, now: datetime.datetime) -> datetime.datetime:
        """The first moment of the next day at which something may be sent."""
        day = now.date() + datetime.timedelta(days=1)
        start = datetime.datetime.combine(day, datetime.time(), tzinfo=now.tzinfo)
        return self.end(start) or start


def retry_at(now: datetime.datetime, n_attempts: int) -> datetime.datetime | None:
    """When a message is sent again after ``n_attempts`` failed for a temporary reason; None: it failed."""
    if n_attempts >= MAX_ATTEMPTS:
        return None
    return now + datetime.timedelta(minutes=RETRY_MINUTES[n_attempts - 1])

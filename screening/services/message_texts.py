"""Texts of messages: the version in force, storing another one, and filling it in."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.messages import built_in_text, problem_text
from screening.models import AuditEvent, Message, MessageTemplate, Patient, Site, User
from screening.models.base import max_length
from screening.policy.letters import LetterKind, TextChannel, TextKind, letter_problem
from screening.policy.message_texts import (
    FoundProblem,
    TextProblem,
    clinical_term,
    count_segments,
    fill,
    header_text,
    text_problem,
)
from screening.policy.messages import MessageChannel, MessageKind
from screening.services.audit import record_event
from screening.services.letter_values import example_values, person_values

EXAMPLE_NAME = "Maria-Magdalena Fitzgerald-Thompson"
"""A made-up long name, for previews and lengths."""


class TextRefused(ValueError):
    """A text cannot be stored. ``field`` is what is wrong; the message is for the user."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TextChanged(TextRefused):
    """Another version was stored meanwhile."""

    def __init__(self) -> None:
        message = _("A colleague has stored another version meanwhile. Compare it with yours, then save again.")
        super().__init__("body", message)


@dataclass(frozen=True, slots=True)
class TextInForce:
    """The text for a kind, a channel and a language; ``stored`` is None for the built-in one."""

    stored: MessageTemplate | None
    language: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class FilledText:
    """A text as the person reads it. ``n_segments`` is that of a text message, else 0."""

    subject: str
    body: str
    n_segments: int


def newest_text(site: Site, kind: TextKind, channel: TextChannel, language: str) -> MessageTemplate | None:
    """The version of the site in exactly this language that was stored last."""
    rows = MessageTemplate.objects.filter(site=site, kind=kind, channel=channel, language=language)
    return rows.select_related("created_by").order_by("-number").first()


def text_in_force(site: Site, kind: TextKind, channel: TextChannel, language: str) -> TextInForce:
    """The text of the site in the language of the person, else in that of the site, else the built-in one."""
    wanted = language or site.language_of_messages
    for code in dict.fromkeys((wanted, site.language_of_messages)):
        stored = newest_text(site, kind, channel, code)
        if stored is not None:
            return TextInForce(stored, code, stored.subject, stored.body)
    return _built_in(kind, channel, wanted)


def _built_in(kind: TextKind, channel: TextChannel, language: str) -> TextInForce:
    """In English if it is not translated: then dates are in English too."""
    with translation.override("en"):
        english = built_in_text(kind, channel)
    with translation.override(language):
        text = built_in_text(kind, channel)
    return TextInForce(None, "en" if text == english else language, *text)


def message_text(message: Message) -> tuple[TextInForce, FilledText]:
    """The text in force of a message, and as its person reads it."""
    kind, channel, patient = MessageKind(message.kind), MessageChannel(message.channel), message.patient
    text = text_in_force(message.site, kind, channel, patient.language)
    values = _values(message.site, _name_of(patient), message.appointment_at, text.language)
    return text, _filled(text.subject, text.body, channel, values)


def example_text(site: Site, kind: TextKind, channel: TextChannel, language: str, text: tuple[str, str]) -> FilledText:
    """Subject and body of ``text`` with made-up data."""
    return _filled(*text, channel, _example_values(site, kind, language))


def text_refusal(
    site: Site, kind: TextKind, channel: TextChannel, language: str, text: tuple[str, str]
) -> tuple[str, str] | None:
    """The field that is wrong in a text and a sentence about it; None if it can be stored."""
    subject, body = text
    if isinstance(kind, LetterKind) or not isinstance(channel, MessageChannel):
        found = letter_problem(kind=LetterKind(kind), subject=subject, body=body)
    else:
        example = _example_values(site, kind, language)
        found = text_problem(kind=kind, channel=channel, subject=subject, body=body, example=example)
    if found is None and len(body) > max_length(MessageTemplate, "body"):
        found = FoundProblem("body", TextProblem.TOO_LONG, str(max_length(MessageTemplate, "body")))
    return None if found is None else (found.field, problem_text(found, kind))


@transaction.atomic
def save_text(
    *,
    site: Site,
    kind: TextKind,
    channel: TextChannel,
    language: str,
    subject: str,
    body: str,
    reason: str,
    base_number: int,
    by: User,
) -> MessageTemplate:
    """Store a version of a text. ``base_number`` is the version that the user saw, 0 for the built-in text.

    Raises TextRefused, TextChanged, AccessDenied.
    """
    require(by, Action.MANAGE_SITE, site)
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)  # of two at once, the second sees the first
    body = body.replace("\r\n", "\n").strip()
    if language not in dict(settings.MESSAGE_LANGUAGES):
        raise TextRefused("body", _("This language does not exist here. Choose one of the list."))
    if not reason.strip():
        raise TextRefused("reason", _("Enter the reason for the change. It is kept with the version."))
    refusal = text_refusal(site, kind, channel, language, (subject.strip(), body))
    if refusal is not None:
        raise TextRefused(*refusal)
    newest = newest_text(site, kind, channel, language)
    number = 0 if newest is None else newest.number
    if number != base_number:
        raise TextChanged
    row = MessageTemplate.objects.create(
        site=site,
        kind=kind.value,
        channel=channel.value,
        language=language,
        number=number + 1,
        subject=subject.strip(),
        body=body,
        reason=reason.strip(),
        created_by=by,
    )
    data: dict[str, str | float | bool | None] = {
        "kind": kind.value,
        "channel": channel.value,
        "language": language,
        "number": row.number,
    }
    record_event(verb=AuditEvent.Verb.MESSAGE_TEXT_CHANGED, subject=row, site=site, data=data, by=by)
    return row


def _filled(subject: str, body: str, channel: TextChannel, values: dict[str, str]) -> FilledText:
    text = fill(body, values)
    n_segments = count_segments(text) if channel is MessageChannel.SMS else 0
    return FilledText(header_text(fill(subject, values)), text, n_segments)


def _name_of(patient: Patient) -> str:
    return header_text(f"{patient.given_name} {patient.family_name}")


def _values(site: Site, name: str, appointment_at: datetime.datetime | None, language: str) -> dict[str, str]:
    site_name = site.message_sender if clinical_term(site.name) else site.name
    values = {"name": name, "sender": site.message_sender, "site": site_name, "phone": site.message_phone}
    if appointment_at is None:
        return values
    local = timezone.localtime(appointment_at, site.zone)
    with translation.override(language):
        return values | {
            "day": date_format(local, "DATE_FORMAT"),
            "time": time_format(local.time(), "TIME_FORMAT"),
        }


def _example_values(site: Site, kind: TextKind, language: str) -> dict[str, str]:
    day = timezone.now() + datetime.timedelta(days=14)
    if isinstance(kind, LetterKind):
        with translation.override(language):
            return example_values(person_values(site, _("Maria Fitzgerald")), timezone.localdate(day, site.zone))
    values = _values(site, EXAMPLE_NAME, day if kind is MessageKind.APPOINTMENT else None, language)
    example = {"sender": _("Harbour Clinic"), "phone": "+44 20 7946 0000"}
    return {name: value or example.get(name, "") for name, value in values.items()}

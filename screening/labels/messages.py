"""Texts of messages: labels of kinds, states and reasons, the built-in texts, and why a text is refused."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from screening.labels import letters
from screening.labels.choices import choices
from screening.policy.letters import LetterKind, TextChannel, TextKind, letter_variables
from screening.policy.message_texts import MAX_SMS_SEGMENTS, FoundProblem, TextProblem, variables_of
from screening.policy.messages import (
    MessageChannel,
    MessageConsent,
    MessageKind,
    MessageMode,
    MessageReason,
    MessageState,
)
from screening.policy.recall import ContactChannel

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

KIND_LABELS: dict[MessageKind, "_StrPromise"] = {
    MessageKind.INVITATION: _("Invitation"),
    MessageKind.REMINDER: _("Reminder"),
    MessageKind.DID_NOT_ATTEND: _("Missed appointment"),
    MessageKind.RESULT_READY: _("Result is ready"),
    MessageKind.APPOINTMENT: _("Appointment"),
}
CHANNEL_LABELS: dict[MessageChannel, "_StrPromise"] = {
    MessageChannel.EMAIL: _("E-mail"),
    MessageChannel.SMS: _("Text message"),
}
STATE_LABELS: dict[MessageState, "_StrPromise"] = {
    MessageState.QUEUED: _("Waiting"),
    MessageState.SENDING: _("Being sent"),
    MessageState.SENT: _("Sent"),
    MessageState.FAILED: _("Failed"),
    MessageState.NOT_SENT: _("Not sent"),
}
REASON_LABELS: dict[MessageReason, "_StrPromise"] = {
    MessageReason.SITE_OFF: _("Messages are switched off at this site"),
    MessageReason.NOT_INVITED: _("Not invited at present, by the register"),
    MessageReason.NOTHING_TO_DO: _("No message is to be sent today"),
    MessageReason.NO_CHANNEL: _("This installation cannot send to the addresses of the person"),
    MessageReason.BAD_ADDRESS: _("The address or the number is not valid"),
    MessageReason.NO_CONSENT: _("The person was not asked about messages"),
    MessageReason.REFUSED: _("The person does not want messages"),
    MessageReason.NO_ADDRESS: _("No e-mail address and no telephone number"),
    MessageReason.WAITING: _("A message of this kind waits already"),
    MessageReason.NO_RESULT: _("There is no signed result"),
    MessageReason.OUTDATED: _("Out of date before it was sent"),
    MessageReason.REJECTED: _("The address or the number was refused"),
    MessageReason.TEMPORARY: _("The mail server or the provider was unavailable"),
    MessageReason.CANCELLED: pgettext_lazy("message", "Cancelled"),
}
MODE_LABELS: dict[MessageMode, "_StrPromise"] = {
    MessageMode.OFF: _("Off"),
    MessageMode.MANUAL: _("A person sends them"),
    MessageMode.AUTOMATIC: _("Those of the due list are sent by themselves"),
}
CONSENT_LABELS: dict[MessageConsent, "_StrPromise"] = {
    MessageConsent.UNKNOWN: _("Not asked"),
    MessageConsent.GIVEN: _("Yes"),
    MessageConsent.REFUSED: _("No"),
}
KIND_CHOICES = choices(KIND_LABELS)
CHANNEL_CHOICES = choices(CHANNEL_LABELS)
STATE_CHOICES = choices(STATE_LABELS)
REASON_CHOICES = choices(REASON_LABELS)
MODE_CHOICES = choices(MODE_LABELS)
CONSENT_CHOICES = choices(CONSENT_LABELS)
_LETTER = [(ContactChannel.LETTER.value, _("Letter"))]
TEXT_CHANNEL_CHOICES = [*CHANNEL_CHOICES, *_LETTER]
TEXT_KIND_CHOICES = [
    *KIND_CHOICES,
    *((code, label) for code, label in choices(letters.KIND_LABELS) if code not in list(MessageKind)),
]

_PROBLEMS: dict[TextProblem, "_StrPromise"] = {
    TextProblem.EMPTY: _("The text is empty. Write what the person should read."),
    TextProblem.SUBJECT_MISSING: _("The subject is empty. Write one, without anything about health."),
    TextProblem.LETTER_SUBJECT_MISSING: _("The subject is empty. Write what the letter is about."),
    TextProblem.SUBJECT_SURPLUS: _("A text message has no subject. Leave it empty."),
    TextProblem.SUBJECT_LINES: _("The subject has several lines. Write it in one."),
    TextProblem.CONTROL: _("The text has characters that cannot be printed. Type it again."),
    TextProblem.BRACES: _("A brace is left over. Write variables as {name}, and no other braces."),
    TextProblem.UNKNOWN_VARIABLE: _("There is no variable {%(detail)s}. Use one of these: %(variables)s."),
    TextProblem.REVEALING_VARIABLE: _(
        "{%(detail)s} would reveal something clinical to anyone who reads it. Remove it."
    ),
    TextProblem.APPOINTMENT_VARIABLE: _("{%(detail)s} is known for an appointment alone. Remove it."),
    TextProblem.DAY_MISSING: _("The text does not have the day of the appointment. Insert {day}."),
    TextProblem.VARIABLE_MISSING: _("The text must have {%(detail)s}. Insert it."),
    TextProblem.HTML: _("The text is sent as it is, so that HTML would be seen. Remove “<”, “>” and “&...;”."),
    TextProblem.CLINICAL: _("“%(detail)s” would reveal something clinical to anyone who reads the message. Remove it."),
    TextProblem.TOO_LONG: ngettext_lazy(
        "The text is longer than %(detail)s character. Shorten it.",
        "The text is longer than %(detail)s characters. Shorten it.",
        "detail",
    ),
    TextProblem.TOO_MANY_SEGMENTS: ngettext_lazy(
        "With a long name this makes %(detail)s text message; %(limit)d are allowed. Shorten it.",
        "With a long name this makes %(detail)s text messages; %(limit)d are allowed. Shorten it.",
        "detail",
    ),
}


def problem_text(found: FoundProblem, kind: TextKind) -> str:
    """Why a text is refused, and what to do."""
    variables = ", ".join(f"{{{name}}}" for name in variable_names(kind))
    detail = int(found.detail) if found.detail.isdigit() else found.detail
    facts = {"detail": detail, "variables": variables, "limit": MAX_SMS_SEGMENTS}
    return str(_PROBLEMS[found.problem] % facts)


_GREETING = _("Dear {name},")
_OPT_OUT = _("If you do not want messages from us, please call {phone}.")
BUILT_IN_SUBJECTS: dict[MessageKind, "_StrPromise"] = {
    MessageKind.INVITATION: _("Please make an appointment"),
    MessageKind.REMINDER: _("Reminder: please make an appointment"),
    MessageKind.DID_NOT_ATTEND: _("We missed you"),
    MessageKind.RESULT_READY: _("Please call us"),
    MessageKind.APPOINTMENT: _("Your appointment on {day}"),
}
BUILT_IN_TEXTS: dict[MessageKind, "_StrPromise"] = {
    MessageKind.INVITATION: _("it is time for your next appointment at {site}. Please call {phone} to choose a day."),
    MessageKind.REMINDER: _(
        "some time ago we asked you to make an appointment at {site}. Please call {phone} to choose a day."
    ),
    MessageKind.DID_NOT_ATTEND: _("we missed you at your appointment at {site}. Please call {phone} for another one."),
    MessageKind.RESULT_READY: _("the result of your last visit to {site} is ready. Please call {phone}."),
    MessageKind.APPOINTMENT: _(
        "you have an appointment at {site} on {day} at {time}. If you cannot come, please call {phone}."
    ),
}
BUILT_IN_SMS: dict[MessageKind, "_StrPromise"] = {
    MessageKind.INVITATION: _("{sender}: please call {phone} to make your next appointment."),
    MessageKind.REMINDER: _("{sender}: please remember to make your appointment. Call {phone}."),
    MessageKind.DID_NOT_ATTEND: _("{sender}: we missed you at your appointment. Please call {phone} for another one."),
    MessageKind.RESULT_READY: _("{sender}: the result of your last visit is ready. Please call {phone}."),
    MessageKind.APPOINTMENT: _("{sender}: your appointment is on {day} at {time}. If you cannot come, call {phone}."),
}
"""As short as possible; a translation has only characters of GSM 03.38 if its language can be written with them."""


def text_kind_label(kind: TextKind) -> "_StrPromise":
    """The name of a kind of text."""
    return letters.KIND_LABELS[kind] if isinstance(kind, LetterKind) else KIND_LABELS[kind]


def text_channel_label(channel: TextChannel) -> "_StrPromise":
    """How a text is sent."""
    return CHANNEL_LABELS[channel] if isinstance(channel, MessageChannel) else _("Letter")


def variable_names(kind: TextKind) -> tuple[str, ...]:
    """Variables that a text of this kind can have."""
    return letter_variables(kind) if isinstance(kind, LetterKind) else variables_of(kind)


def built_in_text(kind: TextKind, channel: TextChannel) -> tuple[str, str]:
    """Subject and body in the active language, if the texts are translated into it."""
    if isinstance(kind, LetterKind):
        return letters.built_in_letter(kind)
    if channel is MessageChannel.SMS:
        return "", str(BUILT_IN_SMS[kind])
    return str(BUILT_IN_SUBJECTS[kind]), f"{_GREETING}\n\n{BUILT_IN_TEXTS[kind]}\n\n{_OPT_OUT}\n\n{{sender}}\n"

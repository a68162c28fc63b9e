"""Channels of messages: e-mail by Django's mail, text messages by the hook of SMS_BACKEND."""

import logging
import os
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from email.utils import formataddr, parseaddr
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.module_loading import import_string

from screening.message_hook import OutgoingMessage, Rejected, TemporaryFailure
from screening.models import Patient
from screening.phone_numbers import InvalidPhoneNumber, mobile_number
from screening.policy.message_texts import header_text
from screening.policy.messages import ChannelFacts, MessageChannel, MessageConsent

logger = logging.getLogger(__name__)
_NO_MAIL_BACKENDS = {"dummy"}
_PERMANENT_SMTP = range(500, 600)


def available_channels() -> frozenset[MessageChannel]:
    """Channels that this installation can send by: a mail server is set, a hook is set."""
    has_mail = settings.EMAIL_BACKEND.split(".")[-2] not in _NO_MAIL_BACKENDS
    found = {MessageChannel.EMAIL: has_mail, MessageChannel.SMS: bool(settings.SMS_BACKEND)}
    return frozenset(channel for channel, is_set in found.items() if is_set)


def channel_facts(patient: Patient) -> dict[MessageChannel, ChannelFacts]:
    """What is known about the channels to a person, whose site is loaded."""
    return {
        MessageChannel.EMAIL: ChannelFacts(
            bool(patient.email), is_email_address(patient.email), MessageConsent(patient.email_consent)
        ),
        MessageChannel.SMS: ChannelFacts(
            bool(patient.phone), bool(mobile_of(patient)), MessageConsent(patient.sms_consent)
        ),
    }


def is_email_address(text: str) -> bool:
    """Whether a text is one e-mail address, without a name, a second address or a line break."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return parseaddr(text)[1] == text


def mobile_of(patient: Patient) -> str:
    """The number for text messages in international form; empty if the person's number is not one."""
    try:
        return mobile_number(patient.phone, region=patient.site.phone_region)
    except InvalidPhoneNumber:
        return ""


def sms_hook() -> Callable[[OutgoingMessage], None]:
    """The function that SMS_BACKEND names. Raises ImportError."""
    hook: Callable[[OutgoingMessage], None] = import_string(settings.SMS_BACKEND)
    return hook


def send_sms(message: OutgoingMessage) -> None:
    """Send a text message. What the hook prints is dropped. Raises TemporaryFailure, Rejected."""
    with _without_output(), _failures_as_temporary(MessageChannel.SMS):
        sms_hook()(message)


def send_email(message: OutgoingMessage, *, subject: str) -> None:
    """Send an e-mail. Its Message-ID is that of the message each time. Raises TemporaryFailure, Rejected."""
    from_address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = from_address.rpartition("@")[2] or "localhost"
    mail = EmailMessage(
        subject=header_text(subject),
        body=message.text,
        from_email=formataddr((header_text(message.sender), from_address)),
        to=[message.to],
        headers={"Message-ID": f"<{message.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    with _failures_as_temporary(MessageChannel.EMAIL):
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            if codes and all(code in _PERMANENT_SMTP for code in codes):
                raise Rejected from error
            raise TemporaryFailure from error
        except UnicodeError as error:  # a domain of other letters that is too long in those of host names
            raise Rejected from error


@contextmanager
def _failures_as_temporary(channel: MessageChannel) -> Iterator[None]:
    """Raise TemporaryFailure for any error of code that is not ours; its text may hold the address."""
    try:
        yield
    except (TemporaryFailure, Rejected):
        raise
    except (Exception, SystemExit) as error:
        logger.warning("Sending by %s failed with %s", channel, type(error).__name__)
        raise TemporaryFailure from error


@contextmanager
def _without_output() -> Iterator[None]:
    """Drop what is printed: a worker would write it into its log, with numbers and texts of messages."""
    with Path(os.devnull).open("w", encoding="utf-8") as null, redirect_stdout(null), redirect_stderr(null):
        yield

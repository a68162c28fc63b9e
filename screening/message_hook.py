"""The hook for text messages: a function that ``SMS_BACKEND`` names sends one, and an example that writes to a file.

    def send(message: OutgoingMessage) -> None

It returns once the provider has accepted the message. It raises TemporaryFailure if the same message may be accepted
later, and Rejected if the number cannot receive messages; any other exception counts as temporary. It ends within
``MAX_SECONDS``. ``message.id`` is the same each time that one message is sent: pass it to the provider as the key by
which it recognises a repetition. Neither the number nor the text belongs in a log.
"""

import json
import os
from dataclasses import asdict, dataclass

from django.conf import settings

MAX_SECONDS = 30


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A text message. ``to`` is a number as ``+447400123456``; ``sender`` the name that the site has chosen."""

    id: str
    to: str
    sender: str
    text: str


class TemporaryFailure(Exception):
    """The message was not sent, and may be accepted later."""


class Rejected(Exception):
    """The number cannot receive messages."""


def write_to_file(message: OutgoingMessage) -> None:
    """Append the message to ``SMS_FILE``, one JSON object a line: for demonstrations and tests, it sends nothing."""
    try:
        file = os.open(settings.SMS_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
    except OSError as error:
        raise TemporaryFailure from error

"""Settings of messages at a site."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.labels.messages import MODE_CHOICES
from screening.phone_numbers import REGIONS
from screening.policy.message_texts import clinical_term
from screening.policy.messages import MessageMode, QuietHours

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MESSAGE_FIELDS = (
    "message_mode",
    "message_sender",
    "message_phone",
    "message_language",
    "phone_region",
    "messages_need_consent",
    "quiet_from_h",
    "quiet_until_h",
)
_HOURS = [MaxValueValidator(23)]


def validate_language(code: str) -> None:
    """Raises ValidationError for a language that this installation does not have."""
    if code and code not in dict(settings.MESSAGE_LANGUAGES):
        raise ValidationError(
            _("“%(code)s” is no language code. Write it like en, de or pt-br."), params={"code": code}
        )


def validate_region(code: str) -> None:
    """Raises ValidationError for a country without a telephone plan."""
    if code and code not in REGIONS:
        raise ValidationError(_("“%(code)s” is no country code. Write it like GB or DE."), params={"code": code})


class MessageSettings(models.Model):
    """What a site has chosen for messages to people. Off by default.

    ``message_phone`` is the number that people call, as ``{phone}`` in texts; ``phone_region`` the country of numbers
    that are written without ``+``; without consent no message is sent unless ``messages_need_consent`` is off. Quiet
    from 20 to 8 o'clock: of this product.
    """

    message_mode = models.CharField(
        _("messages to people"), max_length=10, choices=MODE_CHOICES, default=MessageMode.OFF.value
    )
    message_sender = models.CharField(
        _("name of the sender of messages"),
        max_length=40,
        blank=True,
        default="",
        help_text=_("As people know the clinic. It must not name a disease."),
    )
    message_phone = models.CharField(
        _("telephone number in messages"), max_length=40, blank=True, default="", help_text=_("For people to call.")
    )
    message_language = models.CharField(
        _("language of messages"),
        max_length=16,
        blank=True,
        default="",
        validators=[validate_language],
        help_text=_("For people whose language is not recorded, such as en. Empty: the language of this installation."),
    )
    phone_region = models.CharField(
        _("country of telephone numbers"),
        max_length=2,
        blank=True,
        default="",
        validators=[validate_region],
        help_text=_("Of numbers without +, such as GB. Empty: no text message is sent to such a number."),
    )
    messages_need_consent = models.BooleanField(
        _("messages need consent"),
        default=True,
        help_text=_("Off: people who were not asked get messages too. Those who refused never do."),
    )
    quiet_from_h = models.PositiveSmallIntegerField(_("no messages from (hour)"), default=20, validators=_HOURS)
    quiet_until_h = models.PositiveSmallIntegerField(_("no messages until (hour)"), default=8, validators=_HOURS)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Raises ValidationError if messages are on without a number to call, or a sender without a clinical word."""
        super().clean()
        missing: dict[str, _StrPromise] = {}
        if self.message_mode != MessageMode.OFF.value:
            if not self.message_sender.strip():
                missing["message_sender"] = _("Enter the name of the sender before you switch messages on.")
            elif clinical_term(self.message_sender):
                missing["message_sender"] = _("Enter a name without clinical words: others may read the message.")
            if not self.message_phone.strip():
                missing["message_phone"] = _("Enter the number that people call before you switch messages on.")
        if missing:
            raise ValidationError(missing)

    @property
    def sends_messages(self) -> bool:
        return self.message_mode != MessageMode.OFF.value

    @property
    def language_of_messages(self) -> str:
        """The language for people whose own is not recorded."""
        return self.message_language or settings.LANGUAGE_CODE.lower()

    @property
    def quiet_hours(self) -> QuietHours:
        """The hours in which no message is sent."""
        return QuietHours(self.quiet_from_h, self.quiet_until_h)

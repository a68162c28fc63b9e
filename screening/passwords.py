"""Validation of passwords that people choose."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from screening.secret_strength import is_guessable


class GuessableValidator:
    """Refuses a password that is easy to guess: common, repeated, a row of keys, a date, the person's name."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        names = ("username", "first_name", "last_name", "email")
        about_user = [str(text) for name in names if (text := getattr(user, name, ""))]
        if is_guessable(password, about_user):
            raise ValidationError(f"{_('This password is easy to guess.')} {self.get_help_text()}", code="guessable")

    def get_help_text(self) -> str:
        """What a good password is."""
        return _("Use four words that do not belong together, or random characters.")

"""Strength of secrets: the one policy of the start-up checks and of deploy/preflight.py.

Passwords that people choose are rated by zxcvbn (Wheeler, USENIX Security 2016).
"""

from collections.abc import Sequence

from zxcvbn import zxcvbn

MIN_CHARS = {
    "SECRET_KEY": 50,  # as Django's security.W009
    "DATABASE_PASSWORD": 20,
    "REDIS_PASSWORD": 20,
    "METRICS_TOKEN": 20,
    "ADMIN_PASSWORD": 12,  # a person types it once; as in AUTH_PASSWORD_VALIDATORS
}
MIN_DISTINCT_CHARS = 6
"""16 random hexadecimal digits have fewer in one case of 30,000."""
GUESSABLE = (
    "12345678",
    "change",
    "default",
    "example",
    "insecure",
    "password",
    "postgres",
    "qwerty",
    "replace",
    "secret",
)
"""Common passwords, and placeholders of documentation."""

MIN_SCORE = 3
"""Of zxcvbn: 3 is at least 10^8 guesses, far more than log-ins are allowed to try."""
_MAX_RATED_CHARS = 72
"""The time grows with the square of the length; a password that is good so far is good."""
_TERMS_OF_THE_SITE = ("screening", "retina", "retinopathy", "diabetic", "clinic", "photographer", "reviewer")


def is_guessable(password: str, about_user: Sequence[str] = ()) -> bool:
    """Whether a password is easy to guess, for those too who know the texts ``about_user``."""
    rated = zxcvbn(password[:_MAX_RATED_CHARS], user_inputs=[*about_user, *_TERMS_OF_THE_SITE])
    return bool(rated["score"] < MIN_SCORE)


def weakness(name: str, value: str) -> str:
    """A sentence with the weakness of a secret and what to do; empty for a strong one. It never quotes the value."""
    if not value:
        fault = "is missing"
    elif len(value) < MIN_CHARS[name]:
        fault = f"is weak: it has {len(value)} characters"
    elif len(set(value)) < MIN_DISTINCT_CHARS:
        fault = f"is weak: it has {len(set(value))} different characters"
    elif any(text in value.lower() for text in GUESSABLE):
        fault = "is weak: it contains a common password or a placeholder"
    elif name == "ADMIN_PASSWORD" and is_guessable(value):
        fault = "is weak: it is easy to guess"
    else:
        return ""
    return f"{name} {fault}; set at least {MIN_CHARS[name]} random characters (`openssl rand -hex 32` prints 64)."

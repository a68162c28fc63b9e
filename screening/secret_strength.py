"""Strength of secrets: the one policy of the start-up checks and of deploy/preflight.py."""

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
    else:
        return ""
    return f"{name} {fault}; set at least {MIN_CHARS[name]} random characters (`openssl rand -hex 32` prints 64)."

"""A site that sends messages, people whom they reach, and a hook that keeps or refuses them."""

from typing import Any

from screening.message_hook import OutgoingMessage
from screening.models import Patient, Site
from tests.screening.factories import PatientFactory

sent: list[OutgoingMessage] = []
"""Messages of the hook ``keep``."""
errors: list[Exception] = []
"""What the hook raises next, one for each call."""
HOOK = "tests.screening.message_fixtures.keep"
MOBILE = "+44 7400 123456"


def keep(message: OutgoingMessage) -> None:
    """The hook of tests."""
    if errors:
        raise errors.pop(0)
    sent.append(message)


def switch_on(site: Site, **changes: Any) -> Site:
    """Messages are on at any hour of the day."""
    values = {
        "message_mode": "manual",
        "message_sender": "Harbour Clinic",
        "message_phone": "020 7946 0000",
        "phone_region": "GB",
        "quiet_from_h": 0,
        "quiet_until_h": 0,
    }
    for name, value in {**values, **changes}.items():
        setattr(site, name, value)
    site.full_clean()
    site.save()
    return site


def by_email(site: Site, **changes: Any) -> Patient:
    """A person who is due and wants e-mail."""
    return PatientFactory(site=site, **{"email": "ada@example.org", "email_consent": "yes", **changes})


def by_sms(site: Site, **changes: Any) -> Patient:
    """A person who is due and wants text messages."""
    return PatientFactory(site=site, **{"phone": MOBILE, "sms_consent": "yes", **changes})

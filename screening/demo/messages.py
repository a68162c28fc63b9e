"""Messages of the demo clinic: people who are due, and text messages in a file of the demo's folder."""

import uuid

from screening.models import Patient, Site, User
from screening.policy.messages import MessageMode
from screening.selectors.due_list import DueFilters
from screening.services import messages, patients

# 555-01xx is kept free for fiction in North America, as 020 7946 0xxx is in London.
_SMS, _NO_SMS = {"phone": "+1 202 555 0143", "sms_consent": "yes"}, {"phone": "+1 202 555 0178", "sms_consent": "no"}
_EMAIL = {"email": "leo@example.org", "email_consent": "yes"}
PEOPLE: tuple[dict[str, str], ...] = (
    {"mrn": "DEMO-0009", "given_name": "Irma", "family_name": "Example", **_SMS},
    {"mrn": "DEMO-0010", "given_name": "Jonas", "family_name": "Madeup", **_SMS},
    {"mrn": "DEMO-0011", "given_name": "Kaya", "family_name": "Unreal", **_NO_SMS},
    {"mrn": "DEMO-0012", "given_name": "Leo", "family_name": "Pretext", **_EMAIL},
)


def switch_on(site: Site) -> None:
    """Let the site send messages at any hour, when a person asks for it."""
    site.message_mode = MessageMode.MANUAL.value
    site.message_sender, site.message_phone, site.phone_region = site.name, "020 7946 0018", "GB"
    site.quiet_from_h = site.quiet_until_h = 0
    site.full_clean()
    site.save()


def invite_people(site: Site, *, by: User) -> None:
    """Register people who were never screened, and queue an invitation to each: the worker sends them."""
    for details in PEOPLE:
        patients.register_patient(site=site, born_on="1961", sex=Patient.Sex.UNKNOWN, by=by, **details)  # type: ignore[arg-type]
    messages.queue_batch(site=site, filters=DueFilters(), batch_id=uuid.uuid4(), by=by)

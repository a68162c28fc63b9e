"""The demo clinic: its site, users and patients, and exams that the real model grades."""

from pathlib import Path

from django.db import transaction

from screening.demo import messages, own_photos, synthetic_exams
from screening.demo.credentials import Credentials
from screening.demo.folder import DemoError
from screening.demo.users import seed_users
from screening.models import AuditEvent, Patient, Site, User
from screening.services import exams, patients
from screening.services.audit import record_event

_SITE_CODE = "demo"
MRN_WITHOUT_PHOTOS = "DEMO-0008"
"""Number of a patient whose open exam has no photographs, for those of the user."""


def seed_demo(credentials: Credentials, photos: Path | None = None) -> None:
    """Create site, users, API key and patients, and set the credentials. Safe to repeat.

    With ``photos`` a new clinic has a patient for each pair of photographs in this folder.
    Raises DemoError if the clinic exists and has other patients.
    """
    with transaction.atomic():
        site, is_new = Site.objects.get_or_create(code=_SITE_CODE, defaults={"name": "Demo clinic"})
        if is_new:
            messages.switch_on(site)
            record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=site, site=site, by=None)
        seed_users(site, credentials)
    if photos is not None and not is_new and not own_photos.is_filled_from_photos(site):
        raise DemoError("DEMO_PHOTOS fills a new clinic, and this one has patients. Set DEMO_DIR to another folder.")
    if is_new:
        _register_patients(site, photos)


def create_demo_exams(photos: Path | None = None) -> None:
    """Attach photographs to the open exams and submit these. Safe to repeat after an interruption.

    Without ``photos`` the photographs are synthetic, and each takes about a second of CPU time.
    """
    site, photographer = Site.objects.get(code=_SITE_CODE), User.objects.get(username="photographer")
    if photos is not None:
        own_photos.create_exams(photos, site, by=photographer)
    else:
        synthetic_exams.create_exams(site, by=photographer, reviewer=User.objects.get(username="reviewer"))


def is_synthetic() -> bool:
    """Whether the clinic was filled with synthetic photographs, and not from a folder."""
    return not own_photos.is_filled_from_photos(Site.objects.get(code=_SITE_CODE))


def _register_patients(site: Site, photos: Path | None) -> None:
    photographer = User.objects.get(username="photographer")
    if photos is not None:
        own_photos.register_patients(photos, site, by=photographer)
    else:
        synthetic_exams.register_patients(site, by=photographer)
    patient = patients.register_patient(
        site=site,
        mrn=MRN_WITHOUT_PHOTOS,
        given_name="Hana",
        family_name="Pretend",
        born_on="1990-04-23",
        sex=Patient.Sex.FEMALE,
        by=photographer,
    )
    exams.open_exam(patient=patient, by=photographer)
    messages.invite_people(site, by=photographer)

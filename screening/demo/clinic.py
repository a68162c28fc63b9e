"""The demo clinic: its people, and exams whose photographs are drawn and graded by the real model."""

import datetime
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from django.db import IntegrityError, transaction

from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
from screening.demo import own_photos
from screening.demo.folder import Credentials, DemoError
from screening.models import ApiKey, AuditEvent, Exam, Membership, Patient, Site, User
from screening.policy import MacularOedema
from screening.services import api_keys, exams, images, patients, reviews
from screening.services.audit import record_event

SITE_CODE = "demo"
_KEY_NAME = "Demo"
_JPEG_QUALITY = 92
_ROLES = {
    "photographer": ("Pia", "Photographer", [Membership.Role.PHOTOGRAPHER]),
    "reviewer": ("Rune", "Reviewer", [Membership.Role.REVIEWER]),
    "admin": ("Ada", "Admin", [Membership.Role.MANAGER, Membership.Role.PHOTOGRAPHER, Membership.Role.REVIEWER]),
}
_NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class _Eye:
    """What is drawn for one eye; no grade: the eye is absent, for the reason given."""

    grade: ICDRGrade | None
    faults: Faults = _NO_FAULTS
    absent_reason: str = ""


@dataclass(frozen=True, slots=True)
class _DemoPatient:
    """A made-up patient. ``is_signed``: the exam is already reviewed."""

    mrn: str
    given_name: str
    family_name: str
    born_on: datetime.date
    sex: str
    diabetes: tuple[str, int]
    right: _Eye
    left: _Eye
    is_signed: bool = False


def _eye(grade: int, **faults: float) -> _Eye:
    return _Eye(ICDRGrade(grade), Faults(**faults))


def _person(
    number: int, name: str, born: str, diabetes: tuple[str, int], right: _Eye, left: _Eye, *, is_signed: bool = False
) -> _DemoPatient:
    given, family, sex = name.split()
    day = datetime.date.fromisoformat(born)
    return _DemoPatient(f"DEMO-{number:04}", given, family, day, sex, diabetes, right, left, is_signed)


_PROSTHESIS = _Eye(None, absent_reason="Prosthesis since childhood")
DEMO_PATIENTS = (
    _person(1, "Emil Fictitious M", "1957-03-14", ("2", 1998), _eye(4), _eye(3)),
    _person(2, "Alma Sample F", "1984-11-02", ("1", 2009), _eye(0), _eye(0)),
    _person(3, "Chidi Specimen M", "1966-07-21", ("2", 2011), _eye(2), _eye(2)),
    _person(4, "Farah Invented F", "1971-01-30", ("2", 2015), _eye(1), _eye(2, blur_px=16.0, exposure_stops=-3.2)),
    _person(5, "Bruno Example M", "1979-09-09", ("2", 2019), _eye(1), _eye(0)),
    _person(6, "Dora Placeholder F", "1949-05-17", ("2", 1995), _eye(3), _eye(2), is_signed=True),
    _person(7, "Goran Imaginary M", "1962-12-05", ("1", 1980), _eye(1), _PROSTHESIS),
)
PATIENT_WITHOUT_PHOTOS = ("DEMO-0008", "Hana", "Pretend", datetime.date(1990, 4, 23), Patient.Sex.FEMALE)
"""A patient with an open exam and no photographs yet: the place to drop one's own."""


def seed_demo(credentials: Credentials, photos: Path | None = None) -> None:
    """Make the site, its users, its API key and its patients, and give them these credentials. Safe to repeat.

    With ``photos`` a new clinic has a patient for each pair of photographs in this folder.
    Raises DemoError if the clinic exists and has other patients.
    """
    with transaction.atomic():
        site, is_new = Site.objects.get_or_create(code=SITE_CODE, defaults={"name": "Demo clinic"})
        if is_new:
            record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=site, site=site, by=None)
        for username in _ROLES:
            _seed_user(username, credentials.password, site)
    _seed_api_key(credentials.api_key)
    if photos is not None and not is_new and not own_photos.is_filled_from_photos(site):
        raise DemoError("DEMO_PHOTOS fills a new clinic, and this one has patients. Set DEMO_DIR to another folder.")
    if is_new:
        photographer = User.objects.get(username="photographer")
        if photos is not None:
            own_photos.register_patients(photos, site, by=photographer)
        else:
            for person in DEMO_PATIENTS:
                _register(person, site, photographer)
        mrn, given, family, born_on, sex = PATIENT_WITHOUT_PHOTOS
        patient = patients.register_patient(
            site=site, mrn=mrn, given_name=given, family_name=family, born_on=born_on, sex=sex, by=photographer
        )
        exams.open_exam(patient=patient, by=photographer)


def create_demo_exams(photos: Path | None = None) -> None:
    """Draw, attach and submit what is missing in the seeded exams. Takes about two seconds a photograph.

    With ``photos`` nothing is drawn: the photographs of this folder are attached.

    Continues where an earlier run was interrupted: the same drawing is the same file, which an exam takes once.
    """
    photographer, reviewer = (User.objects.get(username=name) for name in ("photographer", "reviewer"))
    if photos is not None:
        own_photos.create_exams(photos, Site.objects.get(code=SITE_CODE), by=photographer)
        return
    for number, person in enumerate(DEMO_PATIENTS):
        exam = Exam.objects.filter(patient__mrn=person.mrn, site__code=SITE_CODE).order_by("created_at").first()
        if exam is None or exam.status != Exam.Status.OPEN:
            continue
        for laterality, eye in ((Laterality.RIGHT, person.right), (Laterality.LEFT, person.left)):
            _attach(exam, laterality, eye, number, by=photographer)
        exam = exams.submit_exam(exam=exam, by=photographer)
        if person.is_signed:
            _sign(exam, person, reviewer)


def _seed_user(username: str, password: str, site: Site) -> None:
    given, family, roles = _ROLES[username]
    is_admin = username == "admin"
    user, is_new = User.objects.get_or_create(
        username=username,
        defaults={"first_name": given, "last_name": family, "is_staff": is_admin, "is_superuser": is_admin},
    )
    if is_new:
        record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=user, site=site, by=None)
        for role in roles:
            Membership.objects.create(user=user, site=site, role=role)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])


def _seed_api_key(text: str) -> None:
    """The key acts as the photographer: enough for the whole API, and no more."""
    if api_keys.find_key(text) is not None:
        return
    photographer = User.objects.get(username="photographer")
    for old in ApiKey.objects.filter(name=_KEY_NAME, user=photographer, revoked_at=None):
        api_keys.revoke_key(key=old, by=User.objects.get(username="admin"))
    try:
        api_keys.issue_key(user=photographer, name=_KEY_NAME, text=text, by=None)
    except IntegrityError as error:
        raise DemoError("The API key was revoked earlier. Set DEMO_API_KEY to a new one.") from error


def _register(person: _DemoPatient, site: Site, by: User) -> None:
    diabetes_type, since = person.diabetes
    patient = patients.register_patient(
        site=site,
        mrn=person.mrn,
        given_name=person.given_name,
        family_name=person.family_name,
        born_on=person.born_on,
        sex=person.sex,
        diabetes_type=diabetes_type,
        diabetes_since_year=since,
        by=by,
    )
    exams.open_exam(patient=patient, by=by)


def _attach(exam: Exam, laterality: Laterality, eye: _Eye, number: int, *, by: User) -> None:
    """Draw one eye of person ``number``: two eyes of one person share the camera and the complexion."""
    if eye.grade is None:
        exams.mark_eye_absent(exam=exam, laterality=laterality, reason=eye.absent_reason, by=by)
        return
    camera = drawing_for_grade(ICDRGrade.NONE, Laterality.RIGHT, 2 * number)
    drawing = replace(
        drawing_for_grade(eye.grade, laterality, 2 * number + (laterality is Laterality.LEFT), faults=eye.faults),
        frame=camera.frame,
        cut=camera.cut,
        has_notch=camera.has_notch,
        complexion=camera.complexion,
    )
    file = BytesIO()
    draw_fundus(drawing).save(file, "JPEG", quality=_JPEG_QUALITY)
    file.seek(0)
    images.attach_image(exam=exam, upload=file, laterality=laterality, is_synthetic=True, by=by)


def _sign(exam: Exam, person: _DemoPatient, reviewer: User) -> None:
    """An exam that was read before, so that a patient's page has a history to show."""
    findings = {}
    for laterality, eye in ((Laterality.RIGHT, person.right), (Laterality.LEFT, person.left)):
        if eye.grade is None:
            continue
        reviews.record_first_reading(
            exam=exam, laterality=laterality, is_gradable=True, grade=eye.grade, macular_oedema="none", by=reviewer
        )
        findings[laterality] = reviews.Finding(
            laterality=laterality, grade=eye.grade, macular_oedema=MacularOedema.NONE
        )
    reviews.sign_review(exam=exam, findings=findings, note="Demo: synthetic photographs, not a patient.", by=reviewer)

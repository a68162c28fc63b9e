"""Exams of invented patients with synthetic photographs."""

from collections.abc import Iterator
from dataclasses import dataclass

from ml.synthetic import Faults
from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, Site, User
from screening.photos.synthetic import synthetic_photograph
from screening.policy import MacularOedema
from screening.services import exams, images, patients, reviews
from screening.services.structured_findings import Finding

_NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Eye:
    """Grade and faults of a synthetic photograph. An eye without a grade is absent."""

    grade: ICDRGrade | None
    faults: Faults = _NO_FAULTS
    absent_reason: str = ""


@dataclass(frozen=True, slots=True)
class InventedPatient:
    """``is_signed``: the exam has been reviewed. Birth dates and names are as exact as those of real patients."""

    mrn: str
    given_name: str
    family_name: str
    born_on: str
    estimated_age: int | None
    sex: str
    diabetes_type: str
    diabetes_since_year: int
    right: Eye
    left: Eye
    is_signed: bool = False

    def eyes(self) -> Iterator[tuple[Laterality, Eye]]:
        yield from ((Laterality.RIGHT, self.right), (Laterality.LEFT, self.left))


def _eye(grade: int, **faults: float) -> Eye:
    return Eye(ICDRGrade(grade), Faults(**faults))


def _patient(
    number: int,
    name: str,
    birth: str | int,
    diabetes: tuple[str, int],
    right: Eye,
    left: Eye,
    *,
    is_signed: bool = False,
) -> InventedPatient:
    """``birth``: a date to the day, month or year, or an estimated age."""
    given_name, *family_name, sex = name.split()
    born_on, estimated_age = (birth, None) if isinstance(birth, str) else ("", birth)
    return InventedPatient(
        mrn=f"DEMO-{number:04}",
        given_name=given_name,
        family_name=" ".join(family_name),
        born_on=born_on,
        estimated_age=estimated_age,
        sex=sex,
        diabetes_type=diabetes[0],
        diabetes_since_year=diabetes[1],
        right=right,
        left=left,
        is_signed=is_signed,
    )


_PROSTHESIS = Eye(None, absent_reason="Prosthesis since childhood")
PATIENTS = (
    _patient(1, "Emil Fictitious M", "1957-03-14", ("2", 1998), _eye(4), _eye(3)),
    _patient(2, "Alma Sample F", "1984-11-02", ("1", 2009), _eye(0), _eye(0)),
    _patient(3, "Chidi Specimen M", 60, ("2", 2011), _eye(2), _eye(2)),
    _patient(4, "Farah Invented F", "1971-01-30", ("2", 2015), _eye(1), _eye(2, blur_px=16.0, exposure_stops=-3.2)),
    _patient(5, "Sudarmi F", "1979", ("2", 2019), _eye(1), _eye(0)),
    _patient(6, "Dora Placeholder F", "1949-05-17", ("2", 1995), _eye(3), _eye(2), is_signed=True),
    _patient(7, "Goran Imaginary M", "1962-12", ("1", 1980), _eye(1), _PROSTHESIS),
)


def register_patients(site: Site, *, by: User) -> None:
    """Register the patients, each with an open exam."""
    for invented in PATIENTS:
        patient = patients.register_patient(
            site=site,
            mrn=invented.mrn,
            given_name=invented.given_name,
            family_name=invented.family_name,
            born_on=invented.born_on,
            estimated_age=invented.estimated_age,
            sex=invented.sex,
            diabetes_type=invented.diabetes_type,
            diabetes_since_year=invented.diabetes_since_year,
            by=by,
        )
        exams.open_exam(patient=patient, by=by)


def create_exams(site: Site, *, by: User, reviewer: User) -> None:
    """Attach the missing photographs to the open exams, submit these, and sign those to be signed.

    Safe to repeat after an interruption: a synthetic photograph is the same file each time, which an exam stores once.
    """
    for number, invented in enumerate(PATIENTS):
        exam = Exam.objects.filter(patient__mrn=invented.mrn, patient__site=site).order_by("created_at").first()
        if exam is None or not exam.is_open:
            continue
        for laterality, eye in invented.eyes():
            _attach(exam, laterality, eye, number, by=by)
        exam = exams.submit_exam(exam=exam, by=by)
        if invented.is_signed:
            _sign(exam, invented, reviewer)


def _attach(exam: Exam, laterality: Laterality, eye: Eye, number: int, *, by: User) -> None:
    if eye.grade is None:
        exams.mark_eye_absent(exam=exam, laterality=laterality, reason=eye.absent_reason, by=by)
        return
    file = synthetic_photograph(eye.grade, laterality, number, faults=eye.faults)
    images.attach_image(exam=exam, upload=file, laterality=laterality, is_synthetic=True, by=by)


def _sign(exam: Exam, invented: InventedPatient, reviewer: User) -> None:
    """Review an exam, so that the page of its patient has a history."""
    findings = {}
    for laterality, eye in invented.eyes():
        if eye.grade is None:
            continue
        finding = Finding(laterality=laterality, grade=eye.grade, macular_oedema=MacularOedema.NONE)
        reviews.record_first_reading(exam=exam, finding=finding, by=reviewer)
        findings[laterality] = finding
    reviews.sign_review(exam=exam, findings=findings, note="Demo: synthetic photographs, not a patient.", by=reviewer)

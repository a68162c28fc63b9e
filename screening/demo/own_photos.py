"""Exams of invented patients with photographs of a folder: ``DEMO_PHOTOS=folder make demo``."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml.vocabulary import Laterality
from screening.demo.folder import DemoError
from screening.models import Exam, Patient, Site, User
from screening.photos.validation import InvalidPhoto
from screening.services import exams, images, patients
from screening.services.exams import ExamError
from screening.services.upload_checks import ANSWERABLE, Answers

MAX_EXAMS = 100
"""A demo shows a clinic; larger folders are for ``python -m ml grade``."""
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})
_EYE_IN_NAME = re.compile(r"(.+)[ _.-](?:(right|od|r)|(left|os|l))", re.IGNORECASE)
_ANSWERS = Answers(confirmed=ANSWERABLE, reason="Demo: the folder has this picture more than once")
_MRN = "PHOTO-{:04}"


@dataclass(slots=True)
class Pair:
    """Photographs of the right and left eye of one invented patient."""

    right: Path | None = None
    left: Path | None = None

    def photo(self, laterality: Laterality) -> Path | None:
        return self.right if laterality is Laterality.RIGHT else self.left


def photo_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder named by ``DEMO_PHOTOS``, or None. Raises DemoError if it has no photographs."""
    name = environ.get("DEMO_PHOTOS")
    if not name:
        return None
    folder = Path(name).expanduser().resolve()
    if not folder.is_dir():
        raise DemoError(f"DEMO_PHOTOS names {folder}, which is not a folder.")
    if not find_pairs(folder):
        raise DemoError(f"The folder {folder} has no photographs (JPEG, PNG, TIFF, WebP).")
    return folder


def find_pairs(folder: Path) -> list[Pair]:
    """Photographs of a folder, two for each patient, in the order of their names.

    ``x_left.jpg`` and ``x_right.jpg`` (also OS and OD, L and R) are the eyes of one patient. Of other names each two
    that follow each other are used as the right and the left eye of one.
    """
    named: dict[str, Pair] = {}
    waiting: Pair | None = None
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        if match := _EYE_IN_NAME.fullmatch(path.stem):
            pair = named.setdefault(match[1], Pair())
            if match[2]:
                pair.right = pair.right or path
            else:
                pair.left = pair.left or path
        elif waiting is None:
            waiting = named[path.name] = Pair(right=path)
        else:
            waiting.left, waiting = path, None
    return list(named.values())[:MAX_EXAMS]


def register_patients(folder: Path, site: Site, *, by: User) -> None:
    """Register an invented patient with an open exam for each pair of photographs."""
    for number in range(1, len(find_pairs(folder)) + 1):
        patient = patients.register_patient(
            site=site,
            mrn=_MRN.format(number),
            given_name="Example",
            family_name=f"Patient {number}",
            sex=Patient.Sex.UNKNOWN,
            by=by,
        )
        exams.open_exam(patient=patient, by=by)


def is_filled_from_photos(site: Site) -> bool:
    """Whether the clinic's patients are those of ``register_patients``."""
    return Patient.objects.filter(site=site, mrn=_MRN.format(1)).exists()


def create_exams(folder: Path, site: Site, *, by: User) -> None:
    """Attach the photographs to the open exams of their patients, and submit the exams. Safe to repeat.

    A file that cannot be used is named on standard output, and its eye recorded as absent.
    """
    for number, pair in enumerate(find_pairs(folder), start=1):
        exam = Exam.objects.filter(patient__mrn=_MRN.format(number), site=site).order_by("created_at").first()
        if exam is None or not exam.is_open:
            continue
        has_photo = [_attach(exam, laterality, pair.photo(laterality), by=by) for laterality in Laterality]
        if any(has_photo):
            exams.submit_exam(exam=exam, by=by)


def _attach(exam: Exam, laterality: Laterality, path: Path | None, *, by: User) -> bool:
    """Whether the eye has a photograph now."""
    reason = "No photograph in the folder"
    if path is not None:
        try:
            with path.open("rb") as file:
                images.attach_image(exam=exam, upload=file, laterality=laterality, answers=_ANSWERS, by=by)
        except (InvalidPhoto, ExamError, OSError) as error:
            sys.stdout.write(f"{path.name} is left out. {error}\n")
            sys.stdout.flush()
            reason = "The file could not be used"
        else:
            return True
    exams.mark_eye_absent(exam=exam, laterality=laterality, reason=reason, by=by)
    return False

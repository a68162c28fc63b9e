"""Made-up sites whose exams wait for photographs, and photographs that are stored without an upload."""

import hashlib
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.utils import timezone

from ml.vocabulary import ServedModel
from screening.models import Exam, FundusImage, Grading, Membership, Patient, Site, User
from screening.services.api_keys import issue_key
from screening.services.grading_queue import GRADE_NEXT_TASK

_CHUNK = 1000
_ADDRESS = "1 Mill Lane\nHarbour Town"


@dataclass(frozen=True, slots=True)
class Clinic:
    """A site, its photographer with an API key, and exams without photographs, of this site or of several in turn."""

    site: Site
    user: User
    key: str
    exams: tuple[Exam, ...]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A photograph in the storage."""

    name: str
    sha256: str
    n_bytes: int


def add_clinic(
    *,
    n_exams: int = 0,
    n_to_invite: int = 0,
    model: str = ServedModel.FAST,
    role: str = Membership.Role.PHOTOGRAPHER,
    n_sites: int = 1,
) -> Clinic:
    """A user of one or more sites, with ``n_exams`` people with an exam each, and ``n_to_invite`` without one."""
    code = f"measured-{uuid.uuid4().hex[:12]}"
    mode = Site.ReadingMode.SIDE_BY_SIDE  # at a blind-first site, predict refuses a photograph that is yet to be read
    facts = {"name": "Measured", "timezone": "UTC", "model": model, "reading_mode": mode}
    sites = [Site.objects.create(code=f"{code}-{n}", **facts) for n in range(n_sites)]
    user = User.objects.create_user(code)
    Membership.objects.bulk_create(Membership(user=user, site=site, role=role) for site in sites)
    person = {"family_name": "Test", "born_on": "1960-05-17", "postal_address": _ADDRESS}
    people = [
        Patient(site=sites[n % n_sites], mrn=str(n), given_name=str(n), **person) for n in range(n_exams + n_to_invite)
    ]
    Patient.objects.bulk_create(people, batch_size=_CHUNK)
    rows = (Exam(patient=one, site=one.site, opened_by=user) for one in people[:n_exams])
    exams = Exam.objects.bulk_create(rows, batch_size=_CHUNK)
    _row, key = issue_key(user=user, name="measurement", by=None)
    return Clinic(sites[0], user, key, tuple(exams))


def store(photos: Sequence[bytes]) -> list[StoredFile]:
    """Store photographs as uploads do, without an exam."""
    return [
        StoredFile(
            default_storage.save(f"photos/00/{uuid.uuid4().hex}.jpg", ContentFile(photo)),
            hashlib.sha256(photo).hexdigest(),
            len(photo),
        )
        for photo in photos
    ]


def add_photographs(clinic: Clinic, files: Sequence[StoredFile], n_images: int) -> list[FundusImage]:
    """Photographs with these files in turn, two for each exam."""
    eyes = itertools.cycle(("OD", "OS"))
    next_files = itertools.cycle(files)
    exams = (exam for exam in clinic.exams for _ in range(2))
    images = []
    for exam, eye in itertools.islice(zip(exams, eyes, strict=False), n_images):
        file = next(next_files)
        facts = {"sha256": file.sha256, "file": file.name, "n_bytes": file.n_bytes, "format": "JPEG"}
        images.append(FundusImage(exam=exam, laterality=eye, width_px=1, height_px=1, uploaded_by=clinic.user, **facts))
    return FundusImage.objects.bulk_create(images, batch_size=_CHUNK)


def queue(clinic: Clinic, images: Sequence[FundusImage], *, model: str, version: str, is_bulk: bool = False) -> None:
    """Queue a grading of each photograph, with a message to the workers."""
    fields = {"model": model, "model_version": version, "is_bulk": is_bulk, "queue_site": clinic.site}
    rows = (Grading(image=image, queued_at=timezone.now(), published_at=Now(), **fields) for image in images)
    Grading.objects.bulk_create(rows, batch_size=_CHUNK)
    with current_app.producer_or_acquire() as producer:
        for _ in images:
            current_app.send_task(GRADE_NEXT_TASK, producer=producer, retry=False)

"""Stored files without a row are deleted after a day; a photograph never is."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from screening import tasks
from screening.models import Exam, FundusImage, User
from screening.photos.renditions import rendition_name
from screening.services import orphaned_files
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.documents import DocumentFactory

TWO_DAYS_S = 2 * 24 * 60 * 60


def set_age(path: Path, age_s: int) -> None:
    os.utime(path, (time.time() - age_s,) * 2)


def leave_behind(root: Path, name: str, *, age_s: int = TWO_DAYS_S) -> Path:
    default_storage.save(name, ContentFile(b"photograph"))
    set_age(root / name, age_s)
    return root / name


@pytest.fixture
def image(exam: Exam, photographer: User, media_root: Path) -> FundusImage:
    image = attach_image(exam=exam, upload=BytesIO(photo_bytes()), laterality="OD", by=photographer)
    set_age(media_root / str(image.file.name), TWO_DAYS_S)
    return image


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_only_an_old_file_without_a_row_is_deleted(image: FundusImage, media_root: Path, is_withdrawn: bool) -> None:
    if is_withdrawn:
        FundusImage.objects.update(withdrawn_at="2026-01-01T00:00Z", withdrawn_code="wrong_patient")
    folder = Path(str(image.file.name)).parent
    orphans = [leave_behind(media_root, f"{name}.jpg") for name in (f"{folder}/{'0' * 32}", f"photos/zz/{'1' * 32}")]
    kept = [
        media_root / str(image.file.name),
        leave_behind(media_root, f"{folder}/{'2' * 32}.jpg", age_s=60),
        leave_behind(media_root, "reports/1.pdf"),
    ]
    tasks.delete_orphaned_files()
    assert not any(file.exists() for file in orphans)
    assert all(file.exists() for file in kept)


def test_nothing_is_deleted_if_the_rows_seem_to_be_missing(
    image: FundusImage, media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("screening.services.orphaned_files.MAX_DELETED", 2)
    files = [leave_behind(media_root, f"photos/aa/{n}.jpg") for n in range(3)]
    assert orphaned_files.delete_orphaned_files() == 0
    assert all(file.exists() for file in files)
    assert "Was an older database restored?" in caplog.text


@pytest.mark.django_db
def test_a_document_of_a_worker_that_was_killed_is_deleted(media_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    document = DocumentFactory(is_done=True)
    kept = media_root / str(document.file.name)
    set_age(kept, TWO_DAYS_S)
    orphans = [leave_behind(media_root, f"documents/{folder}/{'1' * 32}.pdf") for folder in (kept.parent.name, "zz")]
    being_made = leave_behind(media_root, f"documents/zz/{'2' * 32}.pdf", age_s=60)
    many = [leave_behind(media_root, f"photos/aa/{n}.jpg") for n in range(orphaned_files.MAX_DELETED + 1)]
    tasks.delete_orphaned_files()
    assert not any(file.exists() for file in orphans)
    assert all(file.exists() for file in (kept, being_made, *many))
    assert "in photos have no row" in caplog.text


def test_partial_files_are_deleted_however_many_there_are(
    image: FundusImage, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.services.orphaned_files.MAX_DELETED", 2)
    files = [leave_behind(media_root, f"photos/aa/{n}.jpg.partial") for n in range(3)]
    being_written = leave_behind(media_root, "photos/aa/9.jpg.partial", age_s=60)
    assert orphaned_files.delete_orphaned_files() == 3
    assert not any(file.exists() for file in files)
    assert being_written.exists()


def test_renditions_without_their_photograph_and_partial_ones_are_deleted(
    image: FundusImage, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.services.orphaned_files.MAX_DELETED", 1)
    own = rendition_name(str(image.file.name), "640.jpg")
    folder = str(Path(own).parent)
    names = (f"{own}.partial", f"{folder}/{'0' * 32}.640.jpg", "renditions/zz/2.png", "renditions/zz/3.png.partial")
    orphans = [leave_behind(media_root, name) for name in names]
    kept = [leave_behind(media_root, own), leave_behind(media_root, f"{own[:-4]}.png.partial", age_s=60)]
    assert orphaned_files.delete_orphaned_files() == len(orphans)
    assert not any(file.exists() for file in orphans)
    assert all(file.exists() for file in kept)


def test_a_new_site_has_no_orphaned_files(media_root: Path) -> None:
    assert orphaned_files.delete_orphaned_files() == 0

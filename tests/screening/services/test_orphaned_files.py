"""Files that a crash left without a record are deleted after a day; a photograph never is."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from screening import tasks
from screening.models import FundusImage, Site, User
from screening.services import orphaned_files
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

TWO_DAYS_S = 2 * 24 * 60 * 60
pytestmark = pytest.mark.django_db(transaction=True)


def leave_behind(root: Path, name: str, *, age_s: float) -> Path:
    default_storage.save(name, ContentFile(b"photograph"))
    os.utime(root / name, (time.time() - age_s,) * 2)
    return root / name


def place_of(image: FundusImage, root: Path) -> Path:
    return root / str(image.file.name)


@pytest.fixture
def image(site: Site, photographer: User, media_root: Path) -> FundusImage:
    exam = ExamFactory(patient__site=site, opened_by=photographer)
    image = attach_image(exam=exam, upload=BytesIO(photo_bytes()), laterality="OD", by=photographer)
    os.utime(place_of(image, media_root), (time.time() - TWO_DAYS_S,) * 2)
    return image


def test_only_an_old_file_without_a_record_is_deleted(image: FundusImage, media_root: Path) -> None:
    folder = Path(str(image.file.name)).parent
    old = leave_behind(media_root, f"{folder}/{'0' * 32}.jpg", age_s=TWO_DAYS_S)
    old_elsewhere = leave_behind(media_root, f"photos/zz/{'1' * 32}.jpg", age_s=TWO_DAYS_S)
    on_its_way = leave_behind(media_root, f"{folder}/{'2' * 32}.jpg", age_s=60)
    others = leave_behind(media_root, "reports/1.pdf", age_s=TWO_DAYS_S)
    tasks.delete_orphaned_files()
    assert not old.exists()
    assert not old_elsewhere.exists()
    assert on_its_way.exists()
    assert others.exists()
    assert place_of(image, media_root).exists()


def test_a_withdrawn_photograph_keeps_its_file(image: FundusImage, media_root: Path) -> None:
    FundusImage.objects.update(withdrawn_at="2026-01-01T00:00Z", withdrawn_reason="wrong patient")
    assert orphaned_files.delete_orphaned_files() == 0
    assert place_of(image, media_root).exists()


def test_nothing_is_deleted_where_the_records_seem_to_be_missing(
    image: FundusImage, media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("screening.services.orphaned_files.MAX_DELETED", 2)
    files = [leave_behind(media_root, f"photos/aa/{n}.jpg", age_s=TWO_DAYS_S) for n in range(3)]
    assert orphaned_files.delete_orphaned_files() == 0
    assert all(file.exists() for file in files)
    assert "Was an older database restored?" in caplog.text


def test_a_new_site_has_nothing_to_sweep(media_root: Path) -> None:
    assert orphaned_files.delete_orphaned_files() == 0

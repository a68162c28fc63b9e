"""A demo clinic with photographs of the user's choice."""

from pathlib import Path

import pytest
from PIL import Image

from screening.demo import clinic, own_photos
from screening.demo.credentials import Credentials
from screening.demo.folder import DemoError
from screening.models import Exam, FundusImage

CREDENTIALS = Credentials("correct horse battery", "drk_battery-staple-correct-horse")


def write_photos(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        Image.new("RGB", (80, 80), (number, 60, 30)).save(folder / name)
    return folder


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a_left.jpg", "a_right.jpg", "b_OD.png"], [("a_right.jpg", "a_left.jpg"), ("b_OD.png", None)]),
        (["1.jpg", "2.jpg", "3.jpg"], [("1.jpg", "2.jpg"), ("3.jpg", None)]),
        (["control.jpg", "notes.txt", ".hidden.jpg"], [("control.jpg", None)]),
    ],
)
def test_photographs_are_paired_by_name_or_order(
    tmp_path: Path, names: list[str], expected: list[tuple[str | None, str | None]]
) -> None:
    for name in names:
        (tmp_path / name).touch()
    pairs = own_photos.find_pairs(tmp_path)
    assert [(p.right and p.right.name, p.left and p.left.name) for p in pairs] == expected


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_photographs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DemoError, match=r"not a folder|no photographs"):
        own_photos.photo_folder({"DEMO_PHOTOS": str(tmp_path / name)})


@pytest.mark.django_db
def test_it_fills_a_new_clinic_and_repeats_safely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_photos(tmp_path, "a_left.png", "a_right.png", "b_left.png")
    (folder / "b_right.jpg").write_bytes(b"no photograph")
    for _ in range(2):
        clinic.seed_demo(CREDENTIALS, folder)
        clinic.create_demo_exams(folder)
    assert not clinic.is_synthetic()
    assert FundusImage.objects.count() == 3
    assert not FundusImage.objects.filter(is_synthetic=True).exists()
    submitted = Exam.objects.filter(status=Exam.Status.SUBMITTED)
    assert [bool(exam.right_eye_absent_reason) for exam in submitted.order_by("created_at")] == [False, True]
    assert capsys.readouterr().out.startswith("b_right.jpg is left out. ")


@pytest.mark.django_db
def test_it_refuses_a_clinic_with_other_patients(tmp_path: Path) -> None:
    clinic.seed_demo(CREDENTIALS)
    with pytest.raises(DemoError, match="new clinic"):
        clinic.seed_demo(CREDENTIALS, write_photos(tmp_path, "a.png"))

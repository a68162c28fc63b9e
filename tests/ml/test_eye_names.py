"""The eye in names of files and in labels."""

from pathlib import Path

import pytest

from ml.data.labels import read_labels
from ml.eye_names import EYE_NAMES, laterality_in_file_name, laterality_in_text
from ml.vocabulary import Laterality

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
NAMES: dict[str, Laterality | None] = {
    "eye_OD.jpg": RIGHT,
    "IMG_OD_1.jpg": RIGHT,
    "OD1.JPG": RIGHT,
    "P001R.jpg": RIGHT,
    "(RE) 2024-05-01.tif": RIGHT,
    "œil droit.png": RIGHT,
    "ojo-derecho-7.jpg": RIGHT,
    "12_rechts.jpeg": RIGHT,
    "dx 33.jpg": RIGHT,
    "destra.webp": RIGHT,
    "höger.jpg": RIGHT,
    "Правый глаз.jpg": RIGHT,
    "右眼_001.jpg": RIGHT,
    "123-l.jpg": LEFT,
    "10_left.jpeg": LEFT,
    "left eye.jpg": LEFT,
    "li_4.jpg": LEFT,
    "LE.jpg": LEFT,
    "00017 OG.jpg": LEFT,
    "sin-2.jpg": LEFT,
    "izquierdo.jpg": LEFT,
    "a.OS.jpg": LEFT,
    "world.jpg": None,
    "leftover.jpg": None,
    "rose.jpg": None,
    "Oslo.jpg": None,
    "IMG_20240501.jpg": None,
    "OD_OS.jpg": None,
    "left of the right eye.jpg": None,
    "photo.os": None,
    "": None,
}


@pytest.mark.parametrize(("name", "eye"), NAMES.items())
def test_a_file_name_names_an_eye_in_a_separate_word(name: str, eye: Laterality | None) -> None:
    assert laterality_in_file_name(name) is eye


def test_no_word_means_both_eyes() -> None:
    assert not EYE_NAMES[RIGHT] & EYE_NAMES[LEFT]


@pytest.mark.parametrize("eye", list(Laterality))
def test_each_word_of_the_list_is_recognised(eye: Laterality) -> None:
    for name in EYE_NAMES[eye]:
        assert laterality_in_text(name) is eye, name
        assert laterality_in_text(f"12_{name.upper()}-3") is eye, name


@pytest.mark.parametrize(
    ("value", "side"),
    [("OD", "right"), ("Left eye", "left"), ("ojo izquierdo", "left"), ("RE", "right"), ("", ""), ("unknown", "")],
)
def test_a_table_of_labels_reads_the_same_words(tmp_path: Path, value: str, side: str) -> None:
    (tmp_path / "labels.csv").write_text(f"file,grade,eye\na.jpg,0,{value}\n", encoding="utf-8")
    (photo,) = read_labels(tmp_path)
    assert photo.eye == side

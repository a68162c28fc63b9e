"""Which eye a photograph shows: recognised, or no answer; and what names of files say."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from ml.data.labels import read_labels
from ml.eye_names import laterality_in_file_name
from ml.grader import Grader
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.laterality.dataset import split_of
from ml.vocabulary import Laterality
from tests.cases.conftest import Record
from tests.ml.conftest import data_dir

__all__ = ("data_dir",)  # a fixture

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], Laterality | None]] = {
    "upright right eye": (lambda photo: photo, RIGHT),
    "half the pixels": (lambda photo: ImageOps.scale(photo, 0.5), RIGHT),
    "reflected left to right, as a left eye": (ImageOps.mirror, LEFT),
    "turned by 180 degrees": (lambda photo: photo.rotate(180), None),
    "reflected top to bottom": (ImageOps.flip, None),
    "turned by 90 degrees": (lambda photo: photo.rotate(90, expand=True), None),
    "no retina": (lambda photo: Image.linear_gradient("L").resize(photo.size).convert("RGB"), None),
}


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader.load()


@pytest.fixture(scope="module")
def right_eye() -> Image.Image:
    """A synthetic photograph. Read only."""
    return draw_fundus(FundusDrawing(seed=2, laterality=RIGHT))


@pytest.mark.parametrize("kind", CHANGES)
def test_the_eye_of_a_synthetic_photograph(
    grader: Grader, right_eye: Image.Image, record_case: Record, kind: str
) -> None:
    change, expected = CHANGES[kind]
    prediction = grader.grade(change(right_eye.copy()))
    record_case(f"eye, {kind}", prediction.laterality or "no answer")
    assert prediction.laterality is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_OD_1.jpg", RIGHT),
        ("123-l.jpg", LEFT),
        ("ojo izquierdo 2.png", LEFT),
        ("world.jpg", None),
        ("od-os.jpg", None),
    ],
)
def test_the_eye_in_a_name(record_case: Record, name: str, expected: Laterality | None) -> None:
    found = laterality_in_file_name(name)
    record_case(f"file name {name}", found or "says nothing")
    assert found is expected


def held_out(folder: Path) -> Iterator[tuple[Path, Laterality]]:
    """Photographs of people whom the network was not trained on: every tenth one, to save time."""
    test = [p for p in read_labels(folder) if p.eye and (folder.name == "srahim" or split_of(p.group) == 2)]
    return ((p.path, RIGHT if p.eye == "right" else LEFT) for p in test[::10])


@pytest.mark.real_data
@pytest.mark.parametrize("source", ["srahim", "odir5k"])
def test_real_photographs_of_people_not_trained_on(
    grader: Grader, record_case: Record, source: str, data_dir: Path
) -> None:
    results = [(grader.grade(path).laterality, eye) for path, eye in held_out(data_dir / source)]
    answers = [(found, eye) for found, eye in results if found is not None]
    n_right = sum(found is eye for found, eye in answers)
    record_case(f"eye, {source}", f"{len(answers)} of {len(results)} answered, {n_right} of them right")
    assert n_right >= 0.97 * len(answers)
    assert len(answers) >= 0.8 * len(results)  # 0.85 of all; fewer photographs here

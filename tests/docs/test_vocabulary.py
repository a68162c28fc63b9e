"""The check of the vocabulary finds what it should, and nothing else."""

from pathlib import Path

import pytest

from docs.style.vocabulary import check_file, load_rules


def findings(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return [found.text for found in check_file(path, *load_rules(), root=folder)]


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        ("ml/data/splits.py", "def crop_to_disc(photo):\n    ...", ["crop_to_disc"]),
        ("ml/data/splits.py", "class DiscFinder:\n    ...", ["DiscFinder"]),
        ("ml/data/splits.py", "optic_disc = DISC = discount = 1", []),
        ("ml/data/drawn_lesions.py", "", ["drawn_lesions"]),
        ("ml/synthetic/fundus.py", "disc = 1", []),
        ("ml/networks/build.py", "network = reading = 1", ["reading"]),
        ("screening/views/exams.py", "network = reading = 1", ["network"]),
        ("screening/views/exams.py", "from somewhere import word\nprint(word.turn)", []),
        ("screening/views/exams.py", "self.turn, passwords = 1, 2", ["turn"]),
        ("screening/views/exams.py", "LEAST_SIZE_PX = least = 1", ["LEAST_SIZE_PX"]),
        ("tests/ml/test_data.py", "def test_two_eyes_share_a_group(): ...", []),
        ("tests/ml/test_data.py", "def test_the_disc_is_found(): ...", ["test_the_disc_is_found"]),
    ],
)
def test_it_finds_retired_identifiers(tmp_path: Path, path: str, code: str, expected: list[str]) -> None:
    assert findings(tmp_path, path, code) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The two cannot be told apart.", ["told apart"]),
        ("If Redis is away, the grading waits.", ["is away"]),
        ("Keep it 5 cm away; the disc is part of the retina.", []),
    ],
)
def test_it_finds_retired_phrases(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert findings(tmp_path, "docs/page.md", text) == expected

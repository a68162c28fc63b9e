"""Read graded photographs from a folder with ``labels.csv``: file, grade; eye, patient, quality where known."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One graded photograph. ``group`` is shared by photographs that must stay on one side of a split."""

    source: str
    path: Path
    grade: int
    group: str
    quality: str = ""


FAMILY = {"eyepacs_equalized": "eyepacs", "eyeq": "eyepacs"}
"""Sources that photograph the same people under the same patient numbers."""


def read_labels(folder: Path) -> list[LabelledPhoto]:
    """All photographs of a data set in file order. Raises ValueError naming the first line that is not a grade 0-4."""
    source = folder.name
    family = FAMILY.get(source, source)
    photos = []
    with (folder / "labels.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            grade = row["grade"]
            if grade not in {"0", "1", "2", "3", "4"}:
                raise ValueError(f"{folder / 'labels.csv'}, line {number}: grade {grade!r} is not one of 0 to 4.")
            person = row.get("patient") or f"file:{row['file']}"
            photos.append(
                LabelledPhoto(source, folder / row["file"], int(grade), f"{family}:{person}", row.get("quality") or "")
            )
    return photos

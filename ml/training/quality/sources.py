"""Photographs of the quality gate, with their quality labels and splits.

The splits are those of the grading networks: a patient of their test split is in the test split here, and the same
for validation, so that no metric of the whole system rests on a patient that one of its networks was trained on.
Patients that are not in the grading set (most of EyeQ) are split by a hash of their number.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ml.data.labels import LabelledPhoto, read_labels
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.data.tables import read_table

#: Sources that the network is trained on; the logistic models are fitted to all but HELD_OUT.
QUALITY_SOURCES = ("eyeq", "eyepacs", "aptos2019", "odir5k")
#: Sources with readers' quality labels: good, usable or reject.
LABELLED_SOURCES = ("eyeq", "eyepacs", "eyepacs_test")
#: Sources whose photographs were graded; at most MAX_OTHERS of each.
OTHER_SOURCES = ("messidor2", "srahim", "idrid", "idrid_masks")
MAX_OTHERS = 120
#: Sources of which no photograph is in a fit.
HELD_OUT = ("eyepacs_test", "idrid", "idrid_masks")
#: Quality label of a photograph that was graded but not assessed for quality: nearly all of them can be graded.
GRADED = "graded"
#: Label of an image that is no fundus photograph.
NEGATIVE = "negative"
#: Labels of copies: blurred so that small lesions could be missed, or that only great vessels remain.
SOFT, BLURRED = "soft", "blurred"
DRIMDB_LABELS = {"good": "good", "bad": "reject", "outlier": NEGATIVE}
#: DRIMDB has no patient numbers; neighbouring files may be of one person, so that the first ones are for training.
N_DRIMDB_TRAINING = {"good": 42, "bad": 21, "outlier": 6}


def read_photos(data: Path) -> list[LabelledPhoto]:
    """Read photographs with a quality label; ``graded`` if their source has no such labels."""
    photos = [
        replace(photo, quality=photo.quality or GRADED)
        for source in (*QUALITY_SOURCES, "eyepacs_test")
        for photo in read_labels(data / source)
        if photo.quality or source not in LABELLED_SOURCES
    ]
    for source in OTHER_SOURCES:
        files = [row.text("file") for row in read_table(data / source / "labels.csv", columns=("file",))]
        photos += [
            LabelledPhoto(source, data / source / file, None, f"{source}:{file}", GRADED)
            for file in files[:: max(1, len(files) // MAX_OTHERS)]
        ]
    return photos


def read_drimdb(data: Path) -> list[tuple[LabelledPhoto, int]]:
    """DRIMDB's photographs with split: ``good``, ``reject`` (bad) and ``negative`` (outlier: no retina)."""
    numbered: dict[str, list[tuple[int, str]]] = {quality: [] for quality in DRIMDB_LABELS}
    for row in read_table(data / "drimdb" / "labels.csv", columns=("file", "quality")):
        file, quality = row.text("file"), row.text("quality")
        found = re.search(r"\((\d+)\)", file)
        if quality not in DRIMDB_LABELS or found is None:
            raise row.error("its quality is not good, bad or outlier, or its name has no number.")
        numbered[quality].append((int(found[1]), file))
    return [
        (
            LabelledPhoto("drimdb", data / "drimdb" / file, None, f"drimdb:{file}", DRIMDB_LABELS[quality]),
            TRAIN if rank < N_DRIMDB_TRAINING[quality] else TEST,
        )
        for quality, files in numbered.items()
        for rank, (_, file) in enumerate(sorted(files))
    ]


def with_splits(photos: Iterable[LabelledPhoto], known: Mapping[str, int]) -> list[tuple[LabelledPhoto, int]]:
    """Photographs with their splits; HELD_OUT sources are for the test."""
    return [(photo, TEST if photo.source in HELD_OUT else split_of(photo.group, known)) for photo in photos]


def split_of(patient: str, known: Mapping[str, int]) -> int:
    """The split in ``known``, else by a hash: 12 of 20 patients to training, 3 to validation, 5 to test."""
    number = hashlib.sha256(f"quality {patient}".encode()).digest()[0] % 20
    return known.get(patient, TRAIN if number < 12 else VALIDATION if number < 15 else TEST)


def subsampled(photos: list[tuple[LabelledPhoto, int]]) -> list[tuple[LabelledPhoto, int]]:
    """Keep a third of the training photographs without a quality label: they only represent other cameras."""
    kept, n_graded = [], 0
    for photo, split in photos:
        if photo.quality == GRADED and split == TRAIN and photo.source in QUALITY_SOURCES:
            n_graded += 1
            if n_graded % 3 != 1:
                continue
        kept.append((photo, split))
    return kept

"""Grade files and folders: ``python -m ml grade PATH... [--json] [--heatmap DIR] [--even-if-ungradable]``."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ml.errors import GradingError
from ml.grader import Grader
from ml.prediction import Prediction
from ml.serving.heatmap_overlay import overlay
from ml.serving.preprocess import decode
from ml.vocabulary import ICDRGrade

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
OVERLAY_SIDE_PX = 1024


def find_photos(paths: list[Path]) -> list[Path]:
    """The named files, and every photograph below the named folders in order of name."""
    photos: list[Path] = []
    for path in paths:
        if path.is_dir():
            photos += sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        else:
            photos.append(path)
    return photos


def grade_files(
    grader: Grader, photos: list[Path], *, heatmaps: Path | None, even_if_ungradable: bool
) -> Iterator[tuple[Path, Prediction | str]]:
    """Each file with its Prediction, or the sentence that says why it could not be read."""
    names = _overlay_names(photos)
    for photo in tqdm(photos, unit="photo", disable=not sys.stderr.isatty()):
        try:
            prediction = grader.grade(photo, even_if_ungradable=even_if_ungradable)
            if heatmaps is not None:
                write_overlay(photo, prediction, heatmaps / names[photo])
            yield photo, prediction
        except GradingError as error:
            yield photo, str(error)


def _overlay_names(photos: list[Path]) -> dict[Path, str]:
    """A name of its own for each photograph, also where two folders hold files of one name."""
    stems = [p.stem for p in photos]
    return {p: f"{p.stem}.png" if stems.count(p.stem) == 1 else f"{p.parent.name}-{p.name}.png" for p in photos}


def write_overlay(photo: Path, prediction: Prediction, target: Path) -> None:
    """Write the photograph with its heatmap as a PNG of at most 1024 px; nothing for an ungraded one."""
    if prediction.heatmap is None or prediction.heatmap_box is None:
        return
    picture = decode(photo, min_side_px=OVERLAY_SIDE_PX // 2)
    picture.thumbnail((OVERLAY_SIDE_PX, OVERLAY_SIDE_PX))
    target.parent.mkdir(parents=True, exist_ok=True)
    overlay(picture, prediction.heatmap, prediction.heatmap_box).save(target)


def as_json(photo: Path, result: Prediction | str) -> str:
    """One line of JSON."""
    if isinstance(result, str):
        return json.dumps({"file": str(photo), "error": result})
    row: dict[str, Any] = {
        "file": str(photo),
        "model_version": result.model_version,
        "is_gradable": result.is_gradable,
        "p_gradable": round(result.p_gradable, 4),
        "quality_reasons": list(result.quality_reasons),
        "grade": None if result.grade is None else int(result.grade),
        "probabilities": None if result.probabilities is None else [round(p, 4) for p in result.probabilities],
        "p_referable": None if result.p_referable is None else round(result.p_referable, 4),
        "is_referable": result.is_referable,
    }
    return json.dumps(row)


def as_text(photo: Path, result: Prediction | str) -> str:
    """One line for a person."""
    if isinstance(result, str):
        return f"{photo}: not read. {result}"
    reasons = f" ({', '.join(result.quality_reasons)})" if result.quality_reasons else ""
    if result.grade is None or result.p_referable is None:
        return f"{photo}: cannot be graded{reasons}"
    advice = "referable" if result.is_referable else "not referable"
    name = ICDRGrade(result.grade).name.lower()
    doubt = "" if result.is_gradable else f" - NOT GRADABLE{reasons}"
    return f"{photo}: grade {int(result.grade)} ({name}), P(referable) {result.p_referable:.3f}, {advice}{doubt}"

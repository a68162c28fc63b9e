"""The command that grades files and folders: ``python -m ml grade PATH ...``."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tqdm import tqdm
from tyro.conf import Positional, arg

from ml.cli.options import BundleOption, OptionalPath
from ml.errors import GradingError, InputError
from ml.vocabulary import QualityLevel

if TYPE_CHECKING:
    from ml.prediction import Prediction

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
OVERLAY_SIDE_PX = 1024


@dataclass(frozen=True, kw_only=True)
class Grade:
    """Grade photographs, or folders of them."""

    paths: Annotated[Positional[tuple[Path, ...]], arg(metavar="PATH [PATH ...]", help_behavior_hint="(required)")]
    """Photographs, and folders that are searched for photographs."""
    json: bool = False
    """Print one JSON object per line."""
    output: OptionalPath = None
    """Write each graded photograph with its heatmap into this folder."""
    include_ungradable: bool = False
    """Give a grade to photographs of poor quality too."""
    bundle: BundleOption = None
    threads: int = 1
    """Threads of one forward pass."""

    def run(self) -> int:
        """0 if every photograph could be read, else 1."""
        from ml.grader import Grader

        if not self.paths:
            raise InputError("Name photographs or folders of them.")
        photos = find_photos(self.paths)
        if not photos:
            print("error: There are no photographs in these folders.", file=sys.stderr)
            return 1
        grader, names, n_failed = Grader.load(self.bundle, threads=self.threads), _overlay_names(photos), 0
        for photo in tqdm(photos, unit="photo", disable=not sys.stderr.isatty()):
            try:
                prediction = grader.grade(photo, include_ungradable=self.include_ungradable)
                if self.output is not None:
                    write_overlay(photo, prediction, self.output / names[photo])
                print(as_json(photo, prediction) if self.json else as_text(photo, prediction), flush=True)
            except GradingError as error:
                n_failed += 1
                content = {"file": str(photo), "error": str(error)}
                print(json.dumps(content) if self.json else f"{photo}: not read. {error}", flush=True)
        return 1 if n_failed else 0


def find_photos(paths: tuple[Path, ...]) -> list[Path]:
    """The files, and every photograph below the folders, ordered by name."""
    photos: list[Path] = []
    for path in paths:
        if path.is_dir():
            photos += sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        else:
            photos.append(path)
    return photos


def _overlay_names(photos: list[Path]) -> dict[Path, str]:
    """A different name for each photograph, even if two folders hold files of the same name."""
    stems = [p.stem for p in photos]
    return {p: f"{p.stem}.png" if stems.count(p.stem) == 1 else f"{p.parent.name}-{p.name}.png" for p in photos}


def write_overlay(photo: Path, prediction: "Prediction", target: Path) -> None:
    """Write the photograph with its heatmap as a PNG of at most 1024 px; nothing if it has no grade."""
    from ml.serving.heatmap_overlay import overlay
    from ml.serving.preprocess import decode

    if prediction.heatmap is None or prediction.heatmap_box is None:
        return
    image = decode(photo, min_side_px=OVERLAY_SIDE_PX // 2)
    image.thumbnail((OVERLAY_SIDE_PX, OVERLAY_SIDE_PX))
    target.parent.mkdir(parents=True, exist_ok=True)
    overlay(image, prediction.heatmap, prediction.heatmap_box).save(target)


def as_json(photo: Path, prediction: "Prediction") -> str:
    """One line of JSON."""
    p, p_referable = prediction.probabilities, prediction.p_referable
    content = {
        "file": str(photo),
        "model_version": prediction.model_version,
        "is_gradable": prediction.is_gradable,
        "quality_level": prediction.quality_level,
        "p_gradable": round(prediction.p_gradable, 4),
        "quality_reasons": prediction.quality_reasons,
        "grade": prediction.grade,
        "probabilities": None if p is None else [round(each, 4) for each in p],
        "p_referable": None if p_referable is None else round(p_referable, 4),
        "is_referable": prediction.is_referable,
        "is_limited_negative": prediction.is_limited_negative,
    }
    return json.dumps(content)


def as_text(photo: Path, prediction: "Prediction") -> str:
    """One line for a person."""
    reasons = f" ({', '.join(prediction.quality_reasons)})" if prediction.quality_reasons else ""
    if prediction.grade is None:
        return f"{photo}: cannot be graded{reasons}"
    referral = "referable" if prediction.is_referable else "not referable"
    warning = {
        QualityLevel.GOOD: "",
        QualityLevel.USABLE: f" - usable with limits{reasons}",
        QualityLevel.UNGRADABLE: f" - NOT GRADABLE{reasons}",
    }[prediction.quality_level]
    if prediction.is_limited_negative:
        warning += ": small lesions could be missed, a person must read it"
    grade = f"grade {prediction.grade:d} ({prediction.grade.name.lower()})"
    return f"{photo}: {grade}, P(referable) {prediction.p_referable:.3f}, {referral}{warning}"

"""The command that grades files and folders: ``python -m ml grade PATH ...``."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tqdm import tqdm
from tyro.conf import Positional, arg

from ml.cli.options import BundleOption, OptionalPath
from ml.errors import GradingError, InputError
from ml.vocabulary import ICDRGrade

if TYPE_CHECKING:
    from ml.grader import Grader
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
        grader = Grader.load(self.bundle, threads=self.threads)
        n_failed = 0
        for photo, result in grade_files(
            grader, photos, heatmaps=self.output, include_ungradable=self.include_ungradable
        ):
            n_failed += isinstance(result, str)
            print(as_json(photo, result) if self.json else as_text(photo, result), flush=True)
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


def grade_files(
    grader: "Grader", photos: list[Path], *, heatmaps: Path | None, include_ungradable: bool
) -> "Iterator[tuple[Path, Prediction | str]]":
    """Each file with its Prediction, or with the reason why it could not be read."""
    names = _overlay_names(photos)
    for photo in tqdm(photos, unit="photo", disable=not sys.stderr.isatty()):
        try:
            prediction = grader.grade(photo, include_ungradable=include_ungradable)
            if heatmaps is not None:
                write_overlay(photo, prediction, heatmaps / names[photo])
            yield photo, prediction
        except GradingError as error:
            yield photo, str(error)


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


def as_json(photo: Path, result: "Prediction | str") -> str:
    """One line of JSON."""
    if isinstance(result, str):
        return json.dumps({"file": str(photo), "error": result})
    content: dict[str, Any] = {
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
    return json.dumps(content)


def as_text(photo: Path, result: "Prediction | str") -> str:
    """One line for a person."""
    if isinstance(result, str):
        return f"{photo}: not read. {result}"
    reasons = f" ({', '.join(result.quality_reasons)})" if result.quality_reasons else ""
    if result.grade is None or result.p_referable is None:
        return f"{photo}: cannot be graded{reasons}"
    referral = "referable" if result.is_referable else "not referable"
    name = ICDRGrade(result.grade).name.lower()
    warning = "" if result.is_gradable else f" - NOT GRADABLE{reasons}"
    return f"{photo}: grade {int(result.grade)} ({name}), P(referable) {result.p_referable:.3f}, {referral}{warning}"

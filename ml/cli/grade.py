"""The command that grades files and folders: ``python -m ml grade PATH ...``."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tqdm import tqdm
from tyro.conf import EnumChoicesFromValues, Positional, arg

from ml.bundle import default_bundle
from ml.cli.names import overlay_names, printable_name
from ml.cli.options import OptionalPath
from ml.errors import GradingError, InputError
from ml.serving.files.rejections import OTHER_FORMATS, InvalidFile
from ml.vocabulary import QualityLevel, QualityReason, ServedModel

if TYPE_CHECKING:
    from ml.grader import Grader
    from ml.prediction import Prediction

OVERLAY_SIDE_PX = 1024
NOT_READ, LEFT_OUT = 1, 3
"""Exit codes; 2 is a wrong option."""
HIDDEN = "Its name, or that of its folder, begins with a dot: hidden files are not graded. Name the file to grade it."
LINKED_FOLDER = "This is a link to another folder. Name that folder to grade its files."
NO_FILE = "This is not a regular file, or a link to a file that is missing."
WRITING = "something is written outside the retina: it may name the patient"
PICTURE_ADVICE: dict[str, str] = {
    QualityReason.TWO_EYES: "two eyes in one picture: send one photograph for each eye",
    QualityReason.NOT_COLOR: "not a colour photograph of a retina: send the colour original",
    QualityReason.OTHER_FIELD: "not a 45 degree photograph: send one of the macula",
    QualityReason.NOT_A_PHOTOGRAPH: "a page or a screenshot: send the photograph itself",
    QualityReason.LIGHT_BORDER: "the surroundings of the retina are not black: export the photograph without a border",
}
"""What to do if the picture is not one photograph of one retina."""
UNREADABLE_FOLDER = "This folder may not be read. Check its permissions."


@dataclass(frozen=True, kw_only=True)
class Grade:
    """Grade photographs, or folders of them."""

    paths: Annotated[Positional[tuple[Path, ...]], arg(metavar="PATH [PATH ...]", help_behavior_hint="(required)")]
    """Photographs, and folders: each of their files has a line, also one that is left out."""
    json: bool = False
    """Print one JSON object per line."""
    output: OptionalPath = None
    """Write each graded photograph with its heatmap into this folder; that of suspected oedema into folder oedema."""
    include_ungradable: bool = False
    """Give a grade to photographs of poor quality too."""
    model: Annotated[ServedModel, EnumChoicesFromValues] = ServedModel.FAST
    """accurate: the ResNet-50; fast: the MobileNet, which takes about a sixth of the time."""
    bundle: Annotated[Path | None, arg(metavar="BUNDLE")] = None
    """Folder of a bundle, or its name in ml/bundles, in place of that of the model."""
    threads: int = 1
    """Threads of one forward pass."""
    isolate: bool = False
    """Open files in a child process under limits of memory and time, for files of unknown origin."""

    def run(self) -> int:
        """0 if every file was graded or is ungradable, 1 if one could not be read, 3 if others were left out."""
        from ml.grader import Grader
        from ml.serving.decoders import decoders

        if not self.paths:
            raise InputError("Name photographs or folders of them.")
        files = find_files(self.paths)
        if not files:
            print("error: There are no files in these folders.", file=sys.stderr)
            return NOT_READ
        if self.output is not None:
            _make_folder(self.output)
        decoders.use_processes(1 if self.isolate else 0)
        grader = Grader.load(self.bundle or default_bundle(self.model), threads=self.threads)
        names = overlay_names([file.path for file in files])
        codes = {
            self._grade(grader, file, names[file.path])
            for file in tqdm(files, unit="file", disable=not sys.stderr.isatty())
        }
        return NOT_READ if NOT_READ in codes else max(codes)

    def _grade(self, grader: "Grader", file: "Found", overlay_name: str) -> int:
        """Grade one file and print its line."""
        if file.left_out and file.is_named:
            return self._report(file.path, "not read", file.left_out, code=NOT_READ)
        if file.left_out:
            return self._report(file.path, "left out", file.left_out, code=LEFT_OUT)
        try:
            prediction = grader.grade(file.path, include_ungradable=self.include_ungradable)
            if self.output is not None:
                write_overlay(file.path, prediction, self.output / overlay_name)
        except InvalidFile as error:
            if file.is_named or error.code not in OTHER_FORMATS:
                return self._report(file.path, "not read", str(error), code=NOT_READ)
            return self._report(file.path, "left out", str(error), code=LEFT_OUT)
        except GradingError as error:
            return self._report(file.path, "not read", str(error), code=NOT_READ)
        print(as_json(file.path, prediction) if self.json else as_text(file.path, prediction), flush=True)
        return 0

    def _report(self, path: Path, problem: str, sentence: str, *, code: int) -> int:
        key = "left_out" if code == LEFT_OUT else "error"
        line = {"file": str(path), key: sentence}
        print(json.dumps(line) if self.json else f"{printable_name(path)}: {problem}. {sentence}", flush=True)
        return code


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file to grade. ``is_named`` if it was an argument itself; ``left_out`` is the reason not to grade it."""

    path: Path
    is_named: bool = False
    left_out: str = ""


def find_files(paths: tuple[Path, ...]) -> list[Found]:
    """The named files, and every file below the folders, ordered by name. What a photograph is, its content says."""
    files: list[Found] = []
    for path in paths:
        if _is(path, Path.is_dir):
            files += _files_below(path)
        else:
            is_other = _is(path, Path.exists) and not _is(path, Path.is_file)
            files.append(Found(path=path, is_named=True, left_out=NO_FILE if is_other else ""))
    return files


def _is(path: Path, test: Callable[[Path], bool]) -> bool:
    """``test(path)``; False if the system refuses to look, for example because the name is too long."""
    try:
        return test(path)
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    """Raises InputError if photographs cannot be written into it: before hours of work, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise InputError(
            f"--output {folder} cannot be used: {error.strerror}. Name a folder in which files can be written."
        ) from error


def _files_below(folder: Path) -> list[Found]:
    found = [Found(path=Path(name), left_out=UNREADABLE_FOLDER) for name in _unreadable_folders(folder)]
    for path in folder.rglob("*"):
        if _is(path, Path.is_dir):
            if path.is_symlink():
                found.append(Found(path=path, left_out=LINKED_FOLDER))
        elif not _is(path, Path.is_file):
            found.append(Found(path=path, left_out=NO_FILE))
        elif any(name.startswith(".") for name in path.relative_to(folder).parts):
            found.append(Found(path=path, left_out=HIDDEN))
        else:
            found.append(Found(path=path))
    return sorted(found, key=lambda file: file.path)


def _unreadable_folders(folder: Path) -> list[str]:
    failed: list[str] = []
    for _ in os.walk(folder, onerror=lambda error: failed.append(str(error.filename))):
        pass
    return failed


def write_overlay(photo: Path, prediction: "Prediction", target: Path) -> None:
    """Write the photograph with its heatmap as a PNG of at most 1024 px; nothing if it has no grade.

    If macular oedema is suspected, its heatmap has the same name in the folder ``oedema`` beside ``target``.
    """
    from ml.serving.heatmap_overlay import overlay
    from ml.serving.preprocess import decode

    if prediction.heatmap is None or prediction.heatmap_box is None:
        return
    image = decode(photo, min_side_px=OVERLAY_SIDE_PX // 2)
    image.thumbnail((OVERLAY_SIDE_PX, OVERLAY_SIDE_PX))
    overlay(image, prediction.heatmap, prediction.heatmap_box).save(target)
    if prediction.suspects_oedema and prediction.oedema_heatmap is not None:
        folder = target.parent / "oedema"
        folder.mkdir(exist_ok=True)
        overlay(image, prediction.oedema_heatmap, prediction.heatmap_box).save(folder / target.name)


def as_json(photo: Path, prediction: "Prediction") -> str:
    """One line of JSON."""
    p, p_referable, confidence = prediction.probabilities, prediction.p_referable, prediction.laterality_confidence
    p_oedema = prediction.p_macular_oedema
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
        "p_macular_oedema": None if p_oedema is None else round(p_oedema, 4),
        "suspects_oedema": prediction.suspects_oedema,
        "laterality": prediction.laterality,
        "laterality_confidence": None if confidence is None else round(confidence, 4),
        "has_writing": prediction.has_writing,
    }
    return json.dumps(content)


def as_text(photo: Path, prediction: "Prediction") -> str:
    """One line for a person."""
    name = printable_name(photo)
    reasons = f" ({', '.join(prediction.quality_reasons)})" if prediction.quality_reasons else ""
    writing = f" - {WRITING}" if prediction.has_writing else ""
    if prediction.grade is None:
        advice = "".join(f": {PICTURE_ADVICE[each]}" for each in prediction.quality_reasons if each in PICTURE_ADVICE)
        return f"{name}: cannot be graded{reasons}{advice}{writing}"
    referral = "referable" if prediction.is_referable else "not referable"
    if prediction.suspects_oedema and not prediction.is_referable:
        referral = "grade not referable"
    warning = {
        QualityLevel.GOOD: "",
        QualityLevel.USABLE: f" - usable with limits{reasons}",
        QualityLevel.UNGRADABLE: f" - NOT GRADABLE{reasons}",
    }[prediction.quality_level]
    if prediction.is_limited_negative:
        warning += ": small lesions could be missed, a person must read it"
    grade = f"grade {prediction.grade:d} ({prediction.grade.name.lower()})"
    eye = f", eye {prediction.laterality}" if prediction.laterality else ""
    oedema = _oedema_text(prediction)
    return f"{name}: {grade}, P(referable) {prediction.p_referable:.3f}, {referral}{oedema}{eye}{warning}{writing}"


def _oedema_text(prediction: "Prediction") -> str:
    """What the model suspects; empty if it does not assess macular oedema. No photograph excludes it."""
    if prediction.oedema_operating_point is None:
        return ""
    if prediction.p_macular_oedema is None:
        return ", macular oedema: not assessed, the macula is not visible"
    suspicion = "suspicion" if prediction.suspects_oedema else "no suspicion"
    p = f"P(macular oedema) {prediction.p_macular_oedema:.3f}"
    return f", {p}, {suspicion} of macular oedema in the photograph (which cannot exclude it)"

"""What was read from the folders of data sets, and what was not."""

from pathlib import Path

from ml.data.labels import LabelledPhoto
from ml.data.photo_files import OTHER_SUFFIXES, SUFFIXES, is_resource_file, list_photos
from ml.data.readers import read_photos, reader_of
from ml.vocabulary import N_GRADES

MAX_NAMED = 5
"""Files of each kind in one line."""


def describe_sources(folders: list[Path], *, others_in: Path | None = None) -> str:
    """A few lines for each data set: layout, grades, eyes, files without a label, labels without a file.

    The last line names the other folders of photographs in ``others_in``. Raises LabelError for labels that cannot be
    parsed.
    """
    below = sorted(path for path in others_in.iterdir() if path.is_dir()) if others_in else []
    others = [Path(path.name) for path in below if path not in folders and list_photos(path)]
    lines = [line for folder in folders for line in _describe(folder)]
    return "\n".join(lines + _named("folders not read (name them with --sources)", others))


def without_label(folder: Path, photos: list[LabelledPhoto]) -> list[Path]:
    """Photographs below the folder of a data set that none of its labels names, relative to it."""
    labelled = {photo.path for photo in photos}
    found = list_photos(folder, (*SUFFIXES, *OTHER_SUFFIXES))
    return [path.relative_to(folder) for path in found if path not in labelled]


def _describe(folder: Path) -> list[str]:
    photos, reader = read_photos(folder), reader_of(folder)
    grades, eyes = [photo.grade for photo in photos], [photo.eye for photo in photos]
    counts = ", ".join(f"grade {grade}: {grades.count(grade)}" for grade in range(N_GRADES))
    missing = [photo.path.relative_to(folder) for photo in photos if not photo.path.is_file()]
    resource_files = [path.relative_to(folder) for path in folder.rglob("*") if _is_resource(path, folder)]
    return [
        f"{folder.name} ({reader.name if reader else ''}): {len(photos)} labels. {counts}, none: {grades.count(None)}",
        f"  eyes: {eyes.count('right')} right, {eyes.count('left')} left, {eyes.count('')} not known",
        *_named("labels without a file", missing),
        *_named("photographs without a label, not used", without_label(folder, photos)),
        *_named("resource files of macOS, no photographs", resource_files),
    ]


def _is_resource(path: Path, folder: Path) -> bool:
    return path.is_file() and is_resource_file(path.relative_to(folder))


def _named(kind: str, paths: list[Path]) -> list[str]:
    names = ", ".join(path.as_posix() for path in sorted(paths)[:MAX_NAMED])
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return [f"  {len(paths)} {kind}: {names}{more}"] if paths else []

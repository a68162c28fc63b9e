"""``python -m ml prepare``: data sets of any known layout become a cache, a report and, if asked, a contact sheet."""

from pathlib import Path

from ml.data.cache import cache_dir_of, graded, load_dataset
from ml.data.labels import DEFAULT_SOURCES, LabelledPhoto
from ml.data.readers import read_photos, reader_of
from ml.data.report import as_markdown, inspect, write_report
from ml.data.tables import LabelError


def prepare_data(
    data: Path, *, sources: list[str] | None, side_px: int, cache: Path, n_workers: int = 1, show: Path | None = None
) -> str:
    """Fill the cache, write report.json and report.md into it and the contact sheet to ``show``; return the report.

    Raises LabelError for labels that cannot be understood, ValueError for a leak, GradingError without any retina.
    """
    folders = [data / source for source in sources] if sources else usual_folders(data)
    read = [photo for folder in folders for photo in read_photos(folder)]
    retinas = load_dataset(folders, side_px=side_px, cache=cache, n_workers=n_workers)
    place = cache_dir_of(graded(iter(read)), side_px=side_px, cache=cache)
    report = inspect(retinas, read, place=place)
    write_report(report, place)
    if show:
        from ml.data.contact_sheet import contact_sheet

        show.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(retinas).save(show)
    return f"{as_markdown(report)}\n{place / 'report.md'}"


def usual_folders(data: Path) -> list[Path]:
    """Those of the usual sources that are there; where none is, every folder of a known layout with grades.

    Raises LabelError where there is nothing at all.
    """
    usual = [data / name for name in DEFAULT_SOURCES if (data / name).is_dir()]
    if usual:
        return usual
    below = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    found = [folder for folder in below if reader_of(folder) and _has_grades(read_photos(folder))]
    if not found:
        raise LabelError(f"{data} holds no data set of a known layout with grades.")
    return found


def _has_grades(photos: list[LabelledPhoto]) -> bool:
    return any(photo.grade is not None for photo in photos)

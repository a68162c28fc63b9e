"""Prepare data sets for training: fill the cache, write a report and a contact sheet."""

from pathlib import Path

from ml.data.cache import cache_dir_of, graded, load_dataset
from ml.data.labels import DEFAULT_SOURCES
from ml.data.readers import read_photos, reader_of
from ml.data.report import as_markdown, inspect, write_report
from ml.data.tables import LabelError


def prepare_data(
    data: Path, *, sources: list[str] | None, side_px: int, cache: Path, n_workers: int = 1, show: Path | None = None
) -> str:
    """Fill the cache and write a report into it; returns the report in Markdown.

    A contact sheet is written to ``show``.

    Raises LabelError for labels that cannot be parsed, ValueError for a leak, GradingError if there is no retina.
    """
    folders = [data / source for source in sources] if sources else default_folders(data)
    photos = [photo for folder in folders for photo in read_photos(folder)]
    dataset = load_dataset(folders, side_px=side_px, cache=cache, n_workers=n_workers)
    cache_dir = cache_dir_of(graded(photos), side_px=side_px, cache=cache)
    report = inspect(dataset, photos, cache_dir=cache_dir)
    write_report(report, cache_dir)
    if show:
        from ml.data.contact_sheet import contact_sheet

        show.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(dataset).save(show)
    return f"{as_markdown(report)}\n{cache_dir / 'report.md'}"


def default_folders(data: Path) -> list[Path]:
    """Folders of the default sources; if there is none, all of a known layout with grades.

    Raises LabelError if there is none at all.
    """
    default = [data / name for name in DEFAULT_SOURCES if (data / name).is_dir()]
    if default:
        return default
    below = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    found = [folder for folder in below if reader_of(folder) and graded(read_photos(folder))]
    if not found:
        raise LabelError(f"{data} holds no data set of a known layout with grades.")
    return found

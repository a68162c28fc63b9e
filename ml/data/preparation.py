"""Prepare data sets for training: fill the cache and write a report.

The report has counts, unreadable files, duplicates and conflicting grades.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ml.data.cache import FundusDataset, graded, load_dataset
from ml.data.cropping import NO_RETINA
from ml.data.duplicates import merge_groups
from ml.data.inventory import without_label
from ml.data.labels import DEFAULT_SOURCES, LabelledPhoto
from ml.data.readers import read_photos, reader_of
from ml.data.splits import SPLITS, assert_no_leakage
from ml.data.tables import LabelError
from ml.metrics.markdown import Cells, row_table
from ml.vocabulary import N_GRADES

#: Examples of each kind in the Markdown; the JSON holds them all.
MAX_EXAMPLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings; files are named ``source/path``.

    ``counts`` is source -> split -> number of photographs of grade 0 to 4; ``unreadable`` file -> error message;
    ``conflicts`` are duplicates with different grades; ``without_label`` are photographs that no label names.
    """

    counts: dict[str, dict[str, list[int]]]
    n_patients: dict[str, int]
    ungradable: dict[str, int]
    no_retina: list[str]
    unreadable: dict[str, str]
    duplicates: list[list[str]]
    conflicts: list[dict[str, int]]
    without_label: list[str] = field(default_factory=list)


def prepare_data(data: Path, *, sources: list[str] | None, side_px: int, cache: Path, n_workers: int = 1) -> str:
    """Fill the cache and write a report into it; returns the report in Markdown.

    Raises LabelError for labels that cannot be parsed, ValueError for a leak, GradingError if there is no retina.
    """
    folders = source_folders(data, sources or ())
    photos = [photo for folder in folders for photo in read_photos(folder)]
    dataset = load_dataset(folders, side_px=side_px, cache=cache, n_workers=n_workers)
    report = replace(inspect(dataset, photos), without_label=_without_label(folders, photos))
    for name, text in (("report.json", json.dumps(asdict(report), indent=1)), ("report.md", as_markdown(report))):
        (cache / name).write_text(text, encoding="utf-8")
    return f"{as_markdown(report)}\n{cache / 'report.md'}"


def _without_label(folders: list[Path], photos: list[LabelledPhoto]) -> list[str]:
    return [f"{folder.name}/{path.as_posix()}" for folder in folders for path in without_label(folder, photos)]


def source_folders(data: Path, sources: Sequence[str] = ()) -> list[Path]:
    """Folders of the named sources below ``data``, else those of ``default_folders``. Raises LabelError."""
    return [data / source for source in sources] or default_folders(data)


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


def inspect(dataset: FundusDataset, photos: list[LabelledPhoto]) -> Report:
    """Inspect a prepared data set; ``photos`` is all that the readers returned.

    Raises ValueError if a patient or a duplicate is in more than one split.
    """
    names, grades = [name_of(photo) for photo in dataset.photos], dataset.grades.tolist()
    assert_no_leakage(dataset.splits, dataset.groups.tolist())
    duplicates = _duplicate_sets(dataset)
    statuses = {name_of(photo): status for photo, status in dataset.rejected.items()}
    return Report(
        counts=grade_counts(dataset),
        n_patients={split: len(set(dataset.groups[dataset.where(i)].tolist())) for i, split in enumerate(SPLITS)},
        ungradable=dict(Counter(photo.source for photo in photos if photo.grade is None)),
        no_retina=[name for name, status in statuses.items() if status == NO_RETINA],
        unreadable={name: status for name, status in statuses.items() if status != NO_RETINA},
        duplicates=[[names[i] for i in same] for same in duplicates],
        conflicts=[{names[i]: grades[i] for i in same} for same in duplicates if len({grades[i] for i in same}) > 1],
    )


def name_of(photo: LabelledPhoto) -> str:
    """Path from the folder of the data set on."""
    names = photo.path.parts
    start = len(names) - 1 - names[::-1].index(photo.source) if photo.source in names else -2
    return "/".join(names[start:])


def _duplicate_sets(dataset: FundusDataset) -> list[list[int]]:
    """Sets of two and more indices of the same photograph, each ascending."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(merge_groups([str(i) for i in range(len(dataset.photos))], dataset.duplicate_pairs)):
        members[name].append(i)
    return [same for same in members.values() if len(same) > 1]


def grade_counts(dataset: FundusDataset) -> dict[str, dict[str, list[int]]]:
    """Number of photographs of grade 0 to 4 by source and split."""
    counts: dict[str, dict[str, list[int]]] = {}
    for source, split, grade in zip(dataset.sources.tolist(), dataset.splits, dataset.grades, strict=True):
        counts.setdefault(source, {name: [0] * N_GRADES for name in SPLITS})[SPLITS[split]][grade] += 1
    return counts


def as_markdown(report: Report) -> str:
    """The report in Markdown: a table of counts, then examples of each kind of finding."""
    rows: list[Cells] = [
        {"source": source, "split": split, **{f"grade {g}": n for g, n in enumerate(grades)}, "all": sum(grades)}
        for source, splits in report.counts.items()
        for split, grades in splits.items()
    ]
    patients = ", ".join(f"{split} {n}" for split, n in report.n_patients.items())
    left_out = ", ".join(f"{source} {n}" for source, n in report.ungradable.items()) or "none"
    conflicts = [", ".join(f"{name} grade {grade}" for name, grade in same.items()) for same in report.conflicts]
    lines = [
        "# Prepared photographs",
        "",
        row_table(rows),
        f"Patients and sets of duplicates: {patients}. None is in two splits.",
        f"Left out because they have no grade: {left_out}.",
        *_examples("No retina found", report.no_retina),
        *_examples("Unreadable", [f"{name}: {error}" for name, error in report.unreadable.items()]),
        *_examples("Photographs without a label, not used", report.without_label),
        *_examples("Same photograph more than once", [", ".join(names) for names in report.duplicates]),
        *_examples("Duplicates with different grades", conflicts),
    ]
    return "\n".join([*lines, ""])


def _examples(title: str, items: list[str]) -> list[str]:
    more = [f"- and {len(items) - MAX_EXAMPLES} more (report.json)"] if len(items) > MAX_EXAMPLES else []
    return ["", f"## {title}: {len(items)}", *(f"- {item}" for item in items[:MAX_EXAMPLES]), *more]

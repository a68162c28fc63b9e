"""Report on prepared data sets: counts, unreadable files, duplicates, conflicting grades."""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from ml.data.cache import FundusDataset, graded
from ml.data.cache_files import atomic_write
from ml.data.cropping import CROPPED, NO_RETINA, read_statuses
from ml.data.duplicates import merge_groups
from ml.data.labels import LabelledPhoto
from ml.data.splits import SPLITS, assert_no_leakage
from ml.metrics.markdown import table
from ml.vocabulary import N_GRADES

#: Examples of each kind in the Markdown; the JSON holds them all.
MAX_EXAMPLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Findings; files are named ``source/path``.

    ``counts`` is source -> split -> number of photographs of grade 0 to 4; ``unreadable`` file -> error message;
    ``near_duplicates`` also holds the exact ones; ``conflicts`` are duplicates with different grades.
    """

    counts: dict[str, dict[str, list[int]]]
    n_patients: dict[str, int]
    ungradable: dict[str, int]
    no_retina: list[str]
    unreadable: dict[str, str]
    exact_duplicates: list[list[str]]
    near_duplicates: list[list[str]]
    conflicts: list[dict[str, int]]


def inspect(dataset: FundusDataset, photos: list[LabelledPhoto], *, cache_dir: Path) -> Report:
    """Inspect a prepared data set; ``photos`` is all that the readers returned.

    Raises ValueError if a patient or a duplicate is in more than one split.
    """
    names, grades = [name_of(photo) for photo in dataset.photos], dataset.grades.tolist()
    exact = exact_pairs(dataset.photos)
    near = dataset.duplicate_pairs + exact
    assert_no_leakage(dataset.splits, merge_groups([photo.group for photo in dataset.photos], near))
    near_sets = _linked_sets(len(names), near)
    statuses = {name_of(p): s for p, s in zip(graded(photos), read_statuses(cache_dir), strict=True) if s != CROPPED}
    return Report(
        counts=grade_counts(dataset),
        n_patients={split: len(set(dataset.groups[dataset.where(i)].tolist())) for i, split in enumerate(SPLITS)},
        ungradable=dict(Counter(photo.source for photo in photos if photo.grade is None)),
        no_retina=[name for name, status in statuses.items() if status == NO_RETINA],
        unreadable={name: status for name, status in statuses.items() if status != NO_RETINA},
        exact_duplicates=[[names[i] for i in same] for same in _linked_sets(len(names), exact)],
        near_duplicates=[[names[i] for i in same] for same in near_sets],
        conflicts=[{names[i]: grades[i] for i in same} for same in near_sets if len({grades[i] for i in same}) > 1],
    )


def name_of(photo: LabelledPhoto) -> str:
    """Path from the folder of the data set on."""
    names = photo.path.parts
    start = len(names) - 1 - names[::-1].index(photo.source) if photo.source in names else -2
    return "/".join(names[start:])


def exact_pairs(photos: list[LabelledPhoto]) -> list[tuple[int, int]]:
    """Index pairs of files with the same bytes. Only files of equal size are read."""
    sizes = [photo.path.stat().st_size if photo.path.is_file() else 0 for photo in photos]
    n_of_size, first = Counter(sizes), dict[str, int]()
    pairs = []
    for i, size in enumerate(sizes):
        if size and n_of_size[size] > 1:
            same = first.setdefault(hashlib.sha256(photos[i].path.read_bytes()).hexdigest(), i)
            pairs += [(same, i)] if same != i else []
    return pairs


def _linked_sets(n: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Sets of two and more indices that the pairs connect, each ascending."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(merge_groups([str(i) for i in range(n)], pairs)):
        members[name].append(i)
    return [same for same in members.values() if len(same) > 1]


def grade_counts(dataset: FundusDataset) -> dict[str, dict[str, list[int]]]:
    """Number of photographs of grade 0 to 4 by source and split."""
    counts: dict[str, dict[str, list[int]]] = {}
    for source, split, grade in zip(dataset.sources.tolist(), dataset.splits, dataset.grades, strict=True):
        counts.setdefault(source, {name: [0] * N_GRADES for name in SPLITS})[SPLITS[split]][grade] += 1
    return counts


def write_report(report: Report, cache_dir: Path) -> None:
    """Write report.json and report.md into the folder of the cache."""
    for name, text in (("report.json", json.dumps(asdict(report), indent=1)), ("report.md", as_markdown(report))):
        with atomic_write(cache_dir / name) as partial:
            partial.write_text(text, encoding="utf-8")


def as_markdown(report: Report) -> str:
    """The report in Markdown: a table of counts, then examples of each kind of finding."""
    rows = [
        (source, split, *grades, sum(grades))
        for source, splits in report.counts.items()
        for split, grades in splits.items()
    ]
    patients = ", ".join(f"{split} {n}" for split, n in report.n_patients.items())
    left_out = ", ".join(f"{source} {n}" for source, n in report.ungradable.items()) or "none"
    conflicts = [", ".join(f"{name} grade {grade}" for name, grade in same.items()) for same in report.conflicts]
    lines = [
        "# Prepared photographs",
        "",
        table([("source", "split", "grade 0", "1", "2", "3", "4", "all"), *rows]),
        f"Patients and sets of duplicates: {patients}. None is in two splits.",
        f"Left out because they have no grade: {left_out}.",
        *_examples("No retina found", report.no_retina),
        *_examples("Unreadable", [f"{name}: {error}" for name, error in report.unreadable.items()]),
        *_examples("Same file more than once", [", ".join(names) for names in report.exact_duplicates]),
        *_examples("Same photograph more than once", [", ".join(names) for names in report.near_duplicates]),
        *_examples("Duplicates with different grades", conflicts),
    ]
    return "\n".join([*lines, ""])


def _examples(title: str, items: list[str]) -> list[str]:
    more = [f"- and {len(items) - MAX_EXAMPLES} more (report.json)"] if len(items) > MAX_EXAMPLES else []
    return ["", f"## {title}: {len(items)}", *(f"- {item}" for item in items[:MAX_EXAMPLES]), *more]

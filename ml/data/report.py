"""What there is to know of prepared data sets before anything is trained on them: counts, faults, copies, conflicts."""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from ml.data.cache import FundusDataset
from ml.data.cropping import FOUND, NO_RETINA, crop
from ml.data.duplicates import merge_groups
from ml.data.labels import LabelledPhoto
from ml.data.splits import SPLITS, assert_no_leakage
from ml.vocabulary import N_GRADES

SHOWN = 10
"""Examples of each kind in the Markdown; the JSON holds them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Files are named ``source/path``. ``counts`` is source -> part -> photographs of grade 0 to 4."""

    counts: dict[str, dict[str, list[int]]]
    n_people: dict[str, int]
    ungradable: dict[str, int]
    no_retina: list[str]
    unreadable: dict[str, str]
    exact_copies: list[list[str]]
    copies: list[list[str]]
    conflicts: list[dict[str, int]]


def inspect(retinas: FundusDataset, read: list[LabelledPhoto], *, place: Path) -> Report:
    """Look through a prepared set; ``read`` is all that the readers gave, ``place`` the folder of its cache.

    Raises ValueError where a person or a copy is in more than one part of the split.
    """
    photos = retinas.photos
    exact = exact_pairs(photos)
    assert_no_leakage(retinas.splits, retinas.groups.tolist())
    assert_no_leakage(retinas.splits, [photo.group for photo in photos])
    assert_no_leakage(retinas.splits, _linked(len(photos), retinas.duplicate_pairs + exact))
    faults = _faults(photos, [photo for photo in read if photo.grade is not None], place=place)
    copies = _sets(len(photos), retinas.duplicate_pairs + exact)
    return Report(
        counts=_counts(retinas),
        n_people={part: len(set(retinas.groups[retinas.where(i)].tolist())) for i, part in enumerate(SPLITS)},
        ungradable=dict(Counter(photo.source for photo in read if photo.grade is None)),
        no_retina=[name for name, outcome in faults.items() if outcome == NO_RETINA],
        unreadable={name: outcome for name, outcome in faults.items() if outcome != NO_RETINA},
        exact_copies=[[name_of(photos[i]) for i in same] for same in _sets(len(photos), exact)],
        copies=[[name_of(photos[i]) for i in same] for same in copies],
        conflicts=[
            {name_of(photos[i]): int(retinas.grades[i]) for i in same}
            for same in copies
            if len({int(retinas.grades[i]) for i in same}) > 1
        ],
    )


def name_of(photo: LabelledPhoto) -> str:
    """Short and unambiguous enough to find the file: the path from the data set's folder on."""
    parts = photo.path.parts
    start = len(parts) - 1 - parts[::-1].index(photo.source) if photo.source in parts else -2
    return "/".join(parts[start:])


def exact_pairs(photos: list[LabelledPhoto]) -> list[tuple[int, int]]:
    """Index pairs of files with the same bytes. Only files of one length are read."""
    by_size: defaultdict[int, list[int]] = defaultdict(list)
    for i, photo in enumerate(photos):
        if photo.path.is_file():
            by_size[photo.path.stat().st_size].append(i)
    pairs = []
    for same_size in by_size.values():
        first: dict[str, int] = {}
        for i in same_size if len(same_size) > 1 else ():
            digest = hashlib.sha256(photos[i].path.read_bytes()).hexdigest()
            if digest in first:
                pairs.append((first[digest], i))
            first.setdefault(digest, i)
    return pairs


def _linked(n: int, pairs: list[tuple[int, int]]) -> list[str]:
    return merge_groups([str(i) for i in range(n)], pairs)


def _sets(n: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Sets of two and more that the pairs link, each ascending."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(_linked(n, pairs)):
        members[name].append(i)
    return [same for same in members.values() if len(same) > 1]


def _counts(retinas: FundusDataset) -> dict[str, dict[str, list[int]]]:
    counts: dict[str, dict[str, list[int]]] = {}
    for source, part, grade in zip(retinas.sources.tolist(), retinas.splits, retinas.grades, strict=True):
        row = counts.setdefault(source, {name: [0] * N_GRADES for name in SPLITS})
        row[SPLITS[part]][grade] += 1
    return counts


def _faults(kept: list[LabelledPhoto], graded: list[LabelledPhoto], *, place: Path) -> dict[str, str]:
    """Why each graded photograph that is not in the cache is not. Caches without a note of it: tried once more."""
    noted = place / "outcomes.json"
    if noted.exists():
        outcomes: list[str] = json.loads(noted.read_text())
        return {name_of(p): outcome for p, outcome in zip(graded, outcomes, strict=True) if outcome != FOUND}
    have = {(photo.path, photo.grade) for photo in kept}
    left_out = [photo for photo in graded if (photo.path, photo.grade) not in have]
    return {name_of(photo): crop(photo.path, side_px=64).outcome for photo in left_out}


def write_report(report: Report, place: Path) -> None:
    """Write report.json and report.md into the folder of the cache."""
    for name, text in (("report.json", json.dumps(asdict(report), indent=1)), ("report.md", as_markdown(report))):
        partial = place / f"{name}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.replace(place / name)


def as_markdown(report: Report) -> str:
    """The report for people: tables of counts, then each kind of fault with its first examples."""
    header = [
        "# Prepared photographs",
        "",
        "| source | part | grade 0 | 1 | 2 | 3 | 4 | all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [
        f"| {source} | {part} | {' | '.join(map(str, grades))} | {sum(grades)} |"
        for source, parts in report.counts.items()
        for part, grades in parts.items()
    ]
    people = ", ".join(f"{part} {n}" for part, n in report.n_people.items())
    left_out = ", ".join(f"{source} {n}" for source, n in report.ungradable.items()) or "none"
    lines = [*header, *rows, "", f"People and sets of copies: {people}. None is in two parts."]
    lines += [f"Left out because nobody graded them: {left_out}."]
    lines += _examples("No retina found", report.no_retina)
    lines += _examples("Unreadable", [f"{name}: {why}" for name, why in report.unreadable.items()])
    lines += _examples("Same file more than once", [", ".join(names) for names in report.exact_copies])
    lines += _examples("Same photograph more than once", [", ".join(names) for names in report.copies])
    conflicts = [", ".join(f"{name} grade {grade}" for name, grade in c.items()) for c in report.conflicts]
    return "\n".join([*lines, *_examples("Copies with different grades", conflicts), ""])


def _examples(title: str, items: list[str]) -> list[str]:
    more = [f"- and {len(items) - SHOWN} more (report.json)"] if len(items) > SHOWN else []
    return ["", f"## {title}: {len(items)}", *(f"- {item}" for item in items[:SHOWN]), *more]

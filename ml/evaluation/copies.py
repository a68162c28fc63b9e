"""How well the same picture is recognised, and how rarely another is taken for it: ``python -m ml copies``.

Every two photographs of a source are compared: of one person, most of them of two eyes, and of different people.
Copies are made of a sample, in the ways of exports and viewers.
"""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from ml.data.tables import has_columns, read_table
from ml.errors import InputError
from ml.metrics.markdown import table
from ml.perceptual_hash import (
    MAX_DIFFERENT_BITS,
    N_BITS,
    PictureHash,
    band_values,
    flip_signs,
    hash_flips,
    hash_picture,
    probe_values,
)
from ml.picture_correlation import is_same_picture
from ml.serving.field_of_view import detect_fov

_BLOCK = 1000


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph of a known person."""

    path: Path
    person: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Photographs of a source, the pairs of them, and those that are taken as one picture."""

    n_photographs: int
    n_without_detail: int
    n_pairs_of_one_person: int
    n_pairs_of_two_people: int
    taken_as_one: tuple[tuple[Photograph, Photograph], ...]

    def row(self, source: str) -> list[object]:
        """Cells of the table."""
        of_one = sum(first.person == second.person for first, second in self.taken_as_one)
        return [
            source,
            self.n_photographs,
            self.n_without_detail,
            self.n_pairs_of_one_person,
            of_one,
            self.n_pairs_of_two_people,
            len(self.taken_as_one) - of_one,
        ]


def _encoded(image: Image.Image, quality: int = 90, kind: str = "JPEG") -> Image.Image:
    written = io.BytesIO()
    image.save(written, kind, quality=quality)
    return Image.open(written)


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    return ImageOps.scale(image, factor)


def _without_margins(image: Image.Image) -> Image.Image:
    fov = detect_fov(image)
    if fov is None:
        return image
    left, top = max(0, round(fov.x_px - fov.radius_px)), max(0, round(fov.y_px - fov.radius_px))
    right, bottom = round(fov.x_px + fov.radius_px), round(fov.y_px + fov.radius_px)
    return image.crop((left, top, min(image.width, right), min(image.height, bottom)))


def _with_margins(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, (image.width // 8, image.height // 12))


def _trimmed(image: Image.Image) -> Image.Image:
    return ImageOps.crop(image, round(0.04 * min(image.size)))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 75": lambda image: _encoded(image, 75),
    "JPEG, quality 40": lambda image: _encoded(image, 40),
    "WebP, quality 60": lambda image: _encoded(image, 60, "WEBP"),
    "half the size": lambda image: _encoded(_scaled(image, 0.5)),
    "one and a half times the size": lambda image: _encoded(_scaled(image, 1.5)),
    "mirrored": lambda image: _encoded(ImageOps.mirror(image)),
    "upside down": lambda image: _encoded(ImageOps.flip(image)),
    "turned by 180 degrees": lambda image: _encoded(image.rotate(180)),
    "margins cut off": lambda image: _encoded(_without_margins(image)),
    "margins added": lambda image: _encoded(_with_margins(image)),
    "4 % of each side cut off": lambda image: _encoded(_trimmed(image)),
    "a quarter brighter": lambda image: _encoded(ImageEnhance.Brightness(image).enhance(1.25)),
    "grey": lambda image: _encoded(ImageOps.grayscale(image)),
    "mirrored, half the size, quality 50": lambda image: _encoded(ImageOps.mirror(_scaled(image, 0.5)), 50),
}


def measure_copies(data: Path, *, n_copied: int, n_workers: int, sources: Sequence[str] = ()) -> str:
    """Both tables in Markdown, with the pairs that are taken as one. Raises InputError without a suitable source."""
    folders = [data / name for name in sources] or sorted(path.parent for path in data.glob("*/labels.csv"))
    found_in = {folder.name: find_photographs(folder) for folder in folders}
    found_in = {source: photographs for source, photographs in found_in.items() if photographs}
    if not found_in:
        raise InputError(f"No folder in {data} has a labels.csv that names patients.")
    rows, every, confused = [], [], []
    with ProcessPoolExecutor(n_workers) as pool:
        for source, photographs in found_in.items():
            hashes = list(pool.map(hash_picture, [one.path for one in photographs], chunksize=32))
            comparison = compare_all(photographs, hashes, pool)
            rows.append(comparison.row(source))
            confused += [f"- {first.path} and {second.path}" for first, second in comparison.taken_as_one]
            every += [one.path for one, found in zip(photographs, hashes, strict=True) if found is not None]
        chosen = random.Random(0).sample(every, min(n_copied, len(every)))  # noqa: S311 (a sample, not a secret)
        recall = recall_table(list(pool.map(recognise_copies, chosen)))
    header = ["source", "photographs", "without detail", "pairs of one person", "taken as one picture"]
    pairs = table([[*header, "pairs of different people", "taken as one picture"], *rows])
    listed = "\n".join(confused) or "none"
    return f"{pairs}\nTaken as one picture:\n\n{listed}\n\nCopies of {len(chosen)} photographs:\n\n{recall}"


def find_photographs(folder: Path) -> list[Photograph]:
    """Photographs of a source whose ``labels.csv`` names the patient. Raises LabelError."""
    labels = folder / "labels.csv"
    if not has_columns(labels, "file", "patient"):
        return []
    rows = read_table(labels, columns=("file", "patient"))
    return [Photograph(folder / row.text("file"), row.values["patient"]) for row in rows if row.values["patient"]]


def compare_all(photographs: Sequence[Photograph], hashes: Sequence[PictureHash | None], pool: Executor) -> Comparison:
    """Compare every two photographs of a source, in the processes of ``pool``."""
    kept = [(photograph, found) for photograph, found in zip(photographs, hashes, strict=True) if found is not None]
    n_of_one = sum(_n_pairs(count) for count in Counter(photograph.person for photograph, _ in kept).values())
    near = list(_near_pairs([found for _, found in kept])) if len(kept) > 1 else []
    first, second = ([kept[pair[side]][1] for pair in near] for side in (0, 1))
    are_same = pool.map(is_same_picture, first, second, chunksize=256)
    same = [(kept[i][0], kept[j][0]) for (i, j), is_same in zip(near, are_same, strict=True) if is_same]
    return Comparison(
        n_photographs=len(photographs),
        n_without_detail=len(photographs) - len(kept),
        n_pairs_of_one_person=n_of_one,
        n_pairs_of_two_people=_n_pairs(len(kept)) - n_of_one,
        taken_as_one=tuple(same),
    )


def _n_pairs(count: int) -> int:
    return count * (count - 1) // 2


def _near_pairs(hashes: Sequence[PictureHash]) -> Iterator[tuple[int, int]]:
    """Index pairs (i < j) whose hashes are within the limit in any flip: no other pair is taken as one picture."""
    bits = np.stack([np.unpackbits(np.frombuffer(found.bits, np.uint8)) for found in hashes])  # (n, N_BITS)
    signs = bits.astype(np.float32) * 2 - 1
    for start in range(0, len(signs), _BLOCK):
        block = signs[start : start + _BLOCK]
        n_equal = np.max([block @ (signs * flip).T for flip in flip_signs()], axis=0)  # minus the different ones
        near = np.argwhere((N_BITS - n_equal) / 2 <= MAX_DIFFERENT_BITS).tolist()
        yield from ((start + i, j) for i, j in near if start + i < j)


def recognise_copies(path: Path) -> dict[str, tuple[bool, bool]]:
    """By kind of copy: whether the index finds the photograph, and whether it is also recognised."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    original = hash_picture(path)
    found = {}
    for kind, copy in COPIES.items():
        altered = hash_flips(copy(image))
        stored = set() if original is None else set(band_values(original))
        is_found = any(not stored.isdisjoint(probe_values(one)) for one in altered)
        is_same = original is not None and any(is_same_picture(original, one) for one in altered)
        found[kind] = (is_found, is_found and is_same)
    return found


def recall_table(results: Sequence[dict[str, tuple[bool, bool]]]) -> str:
    """Fractions of the photographs, by kind of copy."""
    rows = [
        [kind, *(f"{np.mean([result[kind][step] for result in results]):.3f}" for step in (0, 1))] for kind in COPIES
    ]
    return table([["copy", "found by the index", "recognised"], *rows])

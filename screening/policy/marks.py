"""Marks on a photograph: point, circle or outline of a lesion, in fractions of width and height from the upper left."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from screening.policy.lesions import Lesion

MAX_MARKS = 150
"""Of one eye."""
MAX_POINTS = 150
"""Of one outline. The page reduces what a hand draws to far fewer."""
MIN_POINTS = 3
MAX_RADIUS = 0.5
MAX_MARKS_CHARS = 24_000
"""Of all marks of an eye as JSON. NB: a browser sends at most 64 KiB while a page is closed, for both eyes."""
N_DECIMALS = 4
"""A 10,000th of the width: less than half a pixel of a photograph of 12 megapixels."""
MARK_KINDS = (
    Lesion.MICROANEURYSMS,
    Lesion.HAEMORRHAGES,
    Lesion.BLOT_HAEMORRHAGES,
    Lesion.HARD_EXUDATES,
    Lesion.COTTON_WOOL_SPOTS,
    Lesion.VENOUS_BEADING_QUADRANTS,
    Lesion.IRMA,
    Lesion.NEW_VESSELS_DISC,
    Lesion.NEW_VESSELS_ELSEWHERE,
    Lesion.PRERETINAL_HAEMORRHAGE,
    Lesion.FIBROSIS,
    Lesion.DETACHMENT,
    Lesion.LASER_SCARS,
    Lesion.NAEVUS,
    Lesion.OTHER_DISEASE,
)
"""Lesions that have one position in the retina."""


class MarkShape(StrEnum):
    """How a lesion is marked."""

    POINT = "point"
    CIRCLE = "circle"
    OUTLINE = "outline"


class MarkFault(StrEnum):
    """Why marks are refused."""

    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_SHAPE = "unknown_shape"
    OUTSIDE = "outside"
    NO_SIZE = "no_size"
    TOO_FEW_POINTS = "too_few_points"
    TOO_MANY_POINTS = "too_many_points"
    TOO_MANY_MARKS = "too_many_marks"


class MarkError(ValueError):
    """Marks are refused. ``number`` is that of the mark, from 1; 0: all of them."""

    def __init__(self, fault: MarkFault, number: int = 0) -> None:
        super().__init__(f"{fault} ({number})")
        self.fault = fault
        self.number = number


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark. ``points``: one for a point and for the centre of a circle; ``radius``: fraction of the width.

    The centre of a circle lies in the photograph; its rim may reach over the edge.
    """

    image_id: UUID
    kind: Lesion
    shape: MarkShape
    points: tuple[Point, ...]
    radius: float | None = None


def read_marks(text: str) -> tuple[Mark, ...]:
    """Marks from JSON, as ``write_marks`` writes it; empty text: none. Raises MarkError."""
    if not text.strip():
        return ()
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise MarkError(MarkFault.MALFORMED) from None
    if not isinstance(rows, list):
        raise MarkError(MarkFault.MALFORMED)
    if len(rows) > MAX_MARKS:
        raise MarkError(MarkFault.TOO_MANY_MARKS)
    return tuple(_mark(row, number) for number, row in enumerate(rows, start=1))


def write_marks(marks: Iterable[Mark]) -> str:
    """Marks as JSON, the form in which the page sends them; empty for none."""
    rows = [mark_values(one) for one in marks]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def mark_values(mark: Mark) -> dict[str, Any]:
    """A mark as plain values."""
    values: dict[str, Any] = {"image": str(mark.image_id), "kind": mark.kind.value, "shape": mark.shape.value}
    values["points"] = [list(point) for point in mark.points]
    return values if mark.radius is None else values | {"radius": mark.radius}


def _mark(row: object, number: int) -> Mark:
    if not isinstance(row, dict):
        raise MarkError(MarkFault.MALFORMED, number)
    try:
        image_id = UUID(str(row.get("image")))
    except ValueError:
        raise MarkError(MarkFault.MALFORMED, number) from None
    if row.get("kind") not in MARK_KINDS:
        raise MarkError(MarkFault.UNKNOWN_KIND, number)
    if row.get("shape") not in tuple(MarkShape):
        raise MarkError(MarkFault.UNKNOWN_SHAPE, number)
    shape = MarkShape(row["shape"])
    return Mark(
        image_id=image_id,
        kind=Lesion(row["kind"]),
        shape=shape,
        points=_points(row.get("points"), shape, number),
        radius=_radius(row.get("radius"), number) if shape is MarkShape.CIRCLE else None,
    )


def _points(values: object, shape: MarkShape, number: int) -> tuple[Point, ...]:
    if not isinstance(values, list):
        raise MarkError(MarkFault.MALFORMED, number)
    least, most = (MIN_POINTS, MAX_POINTS) if shape is MarkShape.OUTLINE else (1, 1)
    if len(values) < least:
        raise MarkError(MarkFault.TOO_FEW_POINTS, number)
    if len(values) > most:
        raise MarkError(MarkFault.TOO_MANY_POINTS, number)
    return tuple(_point(value, number) for value in values)


def _point(value: object, number: int) -> Point:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        raise MarkError(MarkFault.MALFORMED, number)
    x, y = value
    if not (0 <= x <= 1 and 0 <= y <= 1):  # also refuses NaN
        raise MarkError(MarkFault.OUTSIDE, number)
    return round(float(x), N_DECIMALS), round(float(y), N_DECIMALS)


def _radius(value: object, number: int) -> float:
    if not isinstance(value, int | float) or not _is_number(value):
        raise MarkError(MarkFault.NO_SIZE, number)
    radius = round(float(value), N_DECIMALS) if 0 < value <= MAX_RADIUS else 0.0
    if radius == 0:
        raise MarkError(MarkFault.NO_SIZE, number)
    return radius


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Landmarks of a photograph, optic disc and fovea, in fractions of width and height from the upper left."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MAX_PHOTOS = 50
MAX_DIAMETER = 0.5
MIN_DIAMETER = 0.01
N_DECIMALS = 4
"""A 10,000th of the width: less than half a pixel of a photograph of 12 megapixels."""
Point = tuple[float, float]


class LandmarksError(ValueError):
    """The text holds no landmarks, or one lies outside of its photograph."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Centre and diameter (fraction of the width) of the optic disc, and the fovea, where a person placed them."""

    optic_disc: Point
    diameter: float
    fovea: Point

    def values(self) -> dict[str, Any]:
        """As plain values."""
        return {"disc": list(self.optic_disc), "diameter": self.diameter, "fovea": list(self.fovea)}


def read_landmarks(text: str) -> dict[UUID, Landmarks]:
    """Landmarks by photograph, from JSON as ``write_landmarks`` writes it. Raises LandmarksError."""
    if not text.strip():
        return {}
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise LandmarksError from None
    if not isinstance(rows, dict) or len(rows) > MAX_PHOTOS:
        raise LandmarksError
    return {_image_id(key): _landmarks(row) for key, row in rows.items()}


def write_landmarks(landmarks: Mapping[UUID, Landmarks]) -> str:
    """Landmarks by photograph as JSON, the form in which the page sends them; empty for none."""
    return json.dumps(landmark_values(landmarks), separators=(",", ":")) if landmarks else ""


def landmark_values(landmarks: Mapping[UUID, Landmarks]) -> dict[str, Any]:
    """Landmarks by photograph as plain values."""
    return {str(image_id): one.values() for image_id, one in landmarks.items()}


def _image_id(key: str) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        raise LandmarksError from None


def _landmarks(row: object) -> Landmarks:
    if not isinstance(row, dict):
        raise LandmarksError
    diameter = _number(row.get("diameter"), MIN_DIAMETER, MAX_DIAMETER)
    return Landmarks(optic_disc=_point(row.get("disc")), diameter=diameter, fovea=_point(row.get("fovea")))


def _point(value: object) -> Point:
    if not isinstance(value, list) or len(value) != 2:
        raise LandmarksError
    return _number(value[0], 0, 1), _number(value[1], 0, 1)


def _number(value: object, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # type: ignore[operator]  # also refuses NaN
        raise LandmarksError
    return round(float(value), N_DECIMALS)  # type: ignore[arg-type]

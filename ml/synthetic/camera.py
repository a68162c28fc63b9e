"""Camera of a synthetic photograph: the frame, and faults of acquisition."""

from dataclasses import dataclass
from enum import StrEnum


class Frame(StrEnum):
    """Aspect ratio of the photograph."""

    SQUARE = "1:1"
    FOUR_THIRDS = "4:3"
    THREE_HALVES = "3:2"

    @property
    def size_px(self) -> tuple[int, int]:
        return {Frame.SQUARE: (1200, 1200), Frame.FOUR_THIRDS: (1600, 1200), Frame.THREE_HALVES: (1620, 1080)}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Faults of acquisition. Zero everywhere is a good photograph."""

    #: Standard deviation of the defocus at full scale.
    blur_px: float = 0.0
    #: Negative is too dark, positive too bright; one stop halves or doubles the light.
    exposure_stops: float = 0.0
    #: 0 to 1: fraction of light lost at the temporal edge, with haze at the opposite one.
    unevenness: float = 0.0
    #: 0 to 1: how far the upper lid and its lashes cover the field.
    lid: float = 0.0

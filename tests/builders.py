"""Builders for tests: photographs, predictions, a fake grader."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from ml.bundle import OedemaOutput, RocTable
from ml.prediction import Prediction
from ml.vocabulary import ICDRGrade, QualityLevel

FAKE_VERSION = "fake-1.0.0+00000000"
OEDEMA_OUTPUT = OedemaOutput(temperature=1.0, bias=0.0, operating_point=0.4, heatmap_full_scale=1.0)
OEDEMA_HEATMAP = np.eye(7, dtype=np.float32)[::-1]


@dataclass(frozen=True)
class FakeBundle:
    """The attributes of a bundle that ``screening`` uses."""

    model_version: str = FAKE_VERSION
    operating_point: float = 0.5
    name: str = "fake"
    version: str = "1.0.0"
    architecture: str = "none"
    weights_sha256: str = "0" * 64
    oedema: OedemaOutput | None = None
    roc: RocTable | None = None
    metrics: dict[str, Any] = field(default_factory=lambda: {"test": {"referable_auc": 0.9}})


@dataclass
class FakeGrader:
    """Returns ``prediction`` or raises ``error``; ``photos`` holds the bytes it was called with."""

    prediction: Prediction
    error: BaseException | None = None
    bundle: FakeBundle = field(default_factory=FakeBundle)
    photos: list[bytes] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None

    def grade(self, photo: bytes) -> Prediction:
        self.photos.append(photo)
        self.before_answer()
        if self.error is not None:
            raise self.error
        return self.prediction


def make_prediction(grade: int | None = 2, **changes: Any) -> Prediction:
    """A prediction of ``grade``; None: an ungradable photograph."""
    if grade is None:
        values: dict[str, Any] = {
            "p_gradable": 0.1,
            "quality_level": QualityLevel.UNGRADABLE,
            "quality_reasons": ("blurred",),
        }
    else:
        probabilities = [0.05] * 5
        probabilities[grade] = 0.8
        values = {
            "p_gradable": 0.98,
            "quality_level": QualityLevel.GOOD,
            "grade": ICDRGrade(grade),
            "probabilities": tuple(probabilities),
            "p_referable": sum(probabilities[2:]),
            "is_referable": grade >= 2,
            "heatmap": np.linspace(0, 1, 49, dtype=np.float32).reshape(7, 7),
            "heatmap_box": (0.1, 0.0, 0.9, 1.0),
        }
    return Prediction(**{"model_version": FAKE_VERSION, **values, **changes})


def oedema_values(p: float | None) -> dict[str, Any]:
    """What a model that assesses macular oedema adds to a prediction; ``p`` None: the macula is not visible."""
    point = OEDEMA_OUTPUT.operating_point
    if p is None:
        reasons = ("macula_not_visible",)
        return {"quality_level": QualityLevel.USABLE, "quality_reasons": reasons, "oedema_operating_point": point}
    return {
        "p_macular_oedema": p,
        "suspects_oedema": p >= point,
        "oedema_operating_point": point,
        "oedema_heatmap": OEDEMA_HEATMAP,
    }


def photo_bytes(format: str = "JPEG", size: tuple[int, int] = (120, 90), *, seed: int = 0, **options: Any) -> bytes:  # noqa: A002
    """A small file of coloured noise; each ``seed`` is another photograph."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    written = BytesIO()
    Image.fromarray(noise).save(written, format=format, **options)
    return written.getvalue()

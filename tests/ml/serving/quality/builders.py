"""Synthetic photographs for the tests of the quality gate, each drawn once and small."""

from dataclasses import asdict, replace
from functools import cache

from PIL import Image

from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality.features import extract_features
from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality


@cache
def synthetic_eye(seed: int = 3, faults: Faults | None = None, grade: ICDRGrade = ICDRGrade.MILD) -> Image.Image:
    """A right eye in a frame 360 pixels high."""
    return draw_fundus(replace(drawing_for_grade(grade, Laterality.RIGHT, seed, faults=faults), scale=0.3))


def cropped(image: Image.Image, side_px: int = 224) -> FundusCrop:
    crop = crop_fundus(image, side_px=side_px)
    assert crop is not None
    return crop


def features_of(crop: FundusCrop) -> dict[str, float]:
    features = extract_features(crop)
    assert features is not None
    return asdict(features)

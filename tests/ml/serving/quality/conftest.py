"""Fixtures of the tests of the quality gate."""

import pytest

from ml.serving.preprocess import FundusCrop
from tests.ml.serving.quality.builders import cropped, synthetic_eye


@pytest.fixture(scope="session")
def eye() -> FundusCrop:
    """A gradable crop."""
    return cropped(synthetic_eye(), side_px=288)

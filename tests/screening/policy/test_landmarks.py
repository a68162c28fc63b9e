"""Landmarks as JSON: what is written is read again, and what lies outside of a photograph is refused."""

import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screening.policy.landmarks import Landmarks, LandmarksError, read_landmarks, write_landmarks

FRACTIONS = st.integers(0, 10_000).map(lambda value: value / 10_000)
POINTS = st.tuples(FRACTIONS, FRACTIONS)
LANDMARKS = st.builds(Landmarks, optic_disc=POINTS, diameter=st.sampled_from([0.01, 0.1234, 0.5]), fovea=POINTS)
GOOD = {"disc": [0.7, 0.5], "diameter": 0.12, "fovea": [0.4, 0.52]}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.uuids(), LANDMARKS, max_size=4))
def test_what_is_written_is_read_again(landmarks: dict[uuid.UUID, Landmarks]) -> None:
    assert read_landmarks(write_landmarks(landmarks)) == landmarks


@pytest.mark.parametrize(
    "changes",
    [
        {"disc": [1.01, 0.5]},
        {"disc": [0.5]},
        {"fovea": [-0.1, 0.5]},
        {"fovea": [float("nan"), 0.5]},
        {"fovea": ["0.5", 0.5]},
        {"diameter": 0},
        {"diameter": 0.51},
        {"diameter": True},
        {"diameter": None},
    ],
)
def test_a_point_outside_of_the_photograph_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(LandmarksError):
        read_landmarks(json.dumps({str(uuid.uuid4()): GOOD | changes}))


@pytest.mark.parametrize("text", ["x", "[]", "[" * 20_000, '{"x": {}}', '{"6f1c2a34-0000-4000-8000-000000000001": 1}'])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(LandmarksError):
        read_landmarks(text)


def test_the_number_of_photographs_is_limited() -> None:
    rows = {str(uuid.uuid4()): GOOD for _ in range(51)}
    with pytest.raises(LandmarksError):
        read_landmarks(json.dumps(rows))

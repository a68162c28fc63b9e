"""Marks on photographs: what is read from JSON, and what is refused."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.labels.marks import FAULT_LABELS, MARK_KIND_LABELS, MARK_SHAPE_LABELS, mark_error_text
from screening.policy.lesions import Lesion
from screening.policy.marks import (
    MARK_KINDS,
    MAX_MARKS,
    MAX_POINTS,
    Mark,
    MarkError,
    MarkFault,
    MarkShape,
    read_marks,
    write_marks,
)

IMAGE = "6f1c2a34-0000-4000-8000-000000000001"
SQUARE = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]


def row(**changes: Any) -> dict[str, Any]:
    values = {"image": IMAGE, "kind": "haemorrhages", "shape": "point", "points": [[0.25, 0.5]]}
    return {**values, **changes}


fractions = st.floats(0, 1).map(lambda value: round(value, 4))
points = st.tuples(fractions, fractions)
kinds = st.sampled_from(MARK_KINDS)
radii = st.sampled_from([0.0001, 0.02, 0.5])
any_mark = st.one_of(
    st.builds(Mark, st.uuids(), kinds, st.just(MarkShape.POINT), st.tuples(points)),
    st.builds(Mark, st.uuids(), kinds, st.just(MarkShape.CIRCLE), st.tuples(points), radii),
    st.builds(Mark, st.uuids(), kinds, st.just(MarkShape.OUTLINE), st.lists(points, min_size=3, max_size=9).map(tuple)),
)  # fmt: skip


@given(st.lists(any_mark, max_size=5).map(tuple))
def test_marks_are_read_as_they_were_written(marks: tuple[Mark, ...]) -> None:
    assert read_marks(write_marks(marks)) == marks


def test_more_decimals_than_a_photograph_has_are_dropped() -> None:
    (mark,) = read_marks(json.dumps([row(points=[[1 / 3, 1]])]))
    assert mark == Mark(UUID(IMAGE), Lesion.HAEMORRHAGES, MarkShape.POINT, ((0.3333, 1.0),))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"points": [[1.01, 0.5]]}, MarkFault.OUTSIDE),
        ({"points": [[0.5, -0.01]]}, MarkFault.OUTSIDE),
        ({"points": [[float("nan"), 0.5]]}, MarkFault.OUTSIDE),
        ({"points": [[0.5]]}, MarkFault.MALFORMED),
        ({"points": [["0.5", 0.5]]}, MarkFault.MALFORMED),
        ({"points": [[True, 0.5]]}, MarkFault.MALFORMED),
        ({"points": None}, MarkFault.MALFORMED),
        ({"points": []}, MarkFault.TOO_FEW_POINTS),
        ({"points": [[0.1, 0.1], [0.2, 0.2]]}, MarkFault.TOO_MANY_POINTS),
        ({"shape": "outline", "points": SQUARE[:2]}, MarkFault.TOO_FEW_POINTS),
        ({"shape": "outline", "points": [[0.1, 0.1]] * (MAX_POINTS + 1)}, MarkFault.TOO_MANY_POINTS),
        ({"shape": "circle"}, MarkFault.NO_SIZE),
        ({"shape": "circle", "radius": 0}, MarkFault.NO_SIZE),
        ({"shape": "circle", "radius": 0.00001}, MarkFault.NO_SIZE),
        ({"shape": "circle", "radius": 0.51}, MarkFault.NO_SIZE),
        ({"shape": "square"}, MarkFault.UNKNOWN_SHAPE),
        ({"shape": ["point"]}, MarkFault.UNKNOWN_SHAPE),
        ({"kind": "haemorrhage_quadrants"}, MarkFault.UNKNOWN_KIND),
        ({"kind": {}}, MarkFault.UNKNOWN_KIND),
        ({"image": "photo-1"}, MarkFault.MALFORMED),
    ],
)
def test_a_wrong_mark_is_refused_by_its_number(changes: dict[str, Any], fault: MarkFault) -> None:
    with pytest.raises(MarkError) as refused:
        read_marks(json.dumps([row(), row(**changes)]))
    assert (refused.value.fault, refused.value.number) == (fault, 2)
    text = mark_error_text(refused.value)
    assert "2" in text
    assert "%" not in text


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "3", "[" * 20_000, '[{"image": 1e999}]'])
def test_what_is_no_list_of_marks_is_refused(text: str) -> None:
    with pytest.raises(MarkError) as refused:
        read_marks(text)
    assert refused.value.fault is MarkFault.MALFORMED


def test_an_eye_has_a_limited_number_of_marks() -> None:
    rows = [row(image=str(uuid4()))] * MAX_MARKS
    assert len(read_marks(json.dumps(rows))) == MAX_MARKS
    with pytest.raises(MarkError) as refused:
        read_marks(json.dumps([*rows, row()]))
    assert str(MAX_MARKS) in mark_error_text(refused.value)


def test_each_code_has_a_label() -> None:
    assert set(MARK_KIND_LABELS) == set(MARK_KINDS)
    assert set(MARK_SHAPE_LABELS) == set(MarkShape)
    assert set(FAULT_LABELS) == set(MarkFault)

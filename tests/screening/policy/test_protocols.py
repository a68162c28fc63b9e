"""Reading protocols: second readings, arbitration, samples, triage."""

import hashlib
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.vocabulary import Laterality
from screening.policy import GradingScale, MacularOedema
from screening.policy.proportions import Proportion
from screening.policy.protocols import (
    Difference,
    Protocol,
    ProtocolKind,
    ReadEye,
    SamplePurpose,
    TriageObstacle,
    differences,
    is_more_severe,
    is_positive,
    is_sampled,
    needs_arbitration,
    needs_second_reading,
    sample_number,
    triage_obstacle,
)

RIGHT, LEFT = Laterality
CLEAR = ReadEye(grade=0, macular_oedema="none")
ABSENT = ReadEye(is_absent=True, is_photographed=False, is_gradable=False)
KINDS = ProtocolKind


def eyes(right: ReadEye = CLEAR, left: ReadEye = CLEAR) -> dict[Laterality, ReadEye]:
    return {RIGHT: right, LEFT: left}


def read(grade: int | None = 0, oedema: str = "none", **more: Any) -> ReadEye:
    return ReadEye(grade=grade, is_gradable=grade is not None, macular_oedema=oedema, **more)


@pytest.mark.parametrize(
    ("eye", "expected"),
    [
        (CLEAR, False),
        (ABSENT, False),
        (read(1), True),
        (read(None), True),
        (read(0, "unknown"), True),
        (read(0, "suspected"), True),
        (ReadEye(is_photographed=False, is_gradable=False), True),
        (read(0, scale=GradingScale.ENGLAND, retinopathy="R0", maculopathy="M0"), False),
        (read(0, scale=GradingScale.ENGLAND, retinopathy="R0", maculopathy="M1"), True),
        (read(0, scale=GradingScale.ENGLAND, retinopathy="R1", maculopathy="M0"), True),
    ],
)
def test_what_is_not_a_clear_finding_is_positive(eye: ReadEye, expected: bool) -> None:
    assert is_positive(eyes(left=eye)) is expected


SECOND = {
    # (is positive, is a clear negative of good quality, is in the sample)
    KINDS.SINGLE: set(),
    KINDS.DOUBLE_ALL: set(product((False, True), repeat=3)),
    KINDS.DOUBLE_POSITIVES: {one for one in product((False, True), repeat=3) if one[0] or one[2]},
    KINDS.TRIAGE: {one for one in product((False, True), repeat=3) if one != (False, True, False)},
}


@pytest.mark.parametrize("kind", list(ProtocolKind))
def test_second_readings_of_each_kind(kind: ProtocolKind) -> None:
    for facts in product((False, True), repeat=3):
        is_found, is_clear, is_in_sample = facts
        found = needs_second_reading(
            Protocol(kind=kind),
            readings=[eyes(), eyes(right=read(2)) if is_found else eyes()],
            is_clear_negative_of_good_quality=is_clear,
            is_in_sample=is_in_sample,
        )
        assert found is (facts in SECOND[kind]), (kind, facts)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (read(0), read(0), set()),
        (read(0), read(1), {Difference.GRADE}),
        (read(3), read(4), {Difference.GRADE}),
        (read(1), read(2), {Difference.REFERABLE, Difference.GRADE}),
        (read(2), read(2, "suspected"), {Difference.OEDEMA}),
        (read(0), read(0, "unknown"), {Difference.OEDEMA}),
        (read(4), read(None), {Difference.GRADABILITY}),
        (ABSENT, ReadEye(is_photographed=False, is_gradable=False), {Difference.GRADABILITY}),
        (read(4, retinopathy="R3A"), read(4, retinopathy="R3S"), {Difference.SCALE}),
        (read(1, photocoagulation="P0"), read(1, photocoagulation="P1"), {Difference.SCALE}),
        (read(1, maculopathy="M0"), read(1, maculopathy="M1"), {Difference.OEDEMA}),
        (
            read(1, scale=GradingScale.ENGLAND, retinopathy="R1"),
            read(2, scale=GradingScale.ENGLAND, retinopathy="R1"),
            {Difference.GRADE},
        ),
    ],
)
def test_differences_of_two_readers(first: ReadEye, second: ReadEye, expected: set[Difference]) -> None:
    assert differences(first, second) == differences(second, first) == expected
    one, other = eyes(left=first), eyes(left=second)
    assert needs_arbitration(one, other, arbitrates_any_difference=True) is bool(expected)
    assert needs_arbitration(one, other, arbitrates_any_difference=False) is bool(expected - {Difference.GRADE})


any_eye = st.builds(
    read,
    st.one_of(st.none(), st.integers(0, 4)),
    st.sampled_from([oedema.value for oedema in MacularOedema]),
)


@given(any_eye, any_eye)
def test_without_arbitration_the_more_severe_finding_is_as_referable_as_both(one: ReadEye, other: ReadEye) -> None:
    if needs_arbitration(eyes(one), eyes(other), arbitrates_any_difference=False):
        return
    worse = one if is_more_severe(one, other) else other
    assert worse.is_referable is one.is_referable is other.is_referable
    assert worse.macular_oedema == one.macular_oedema == other.macular_oedema
    assert (worse.grade or 0) == max(one.grade or 0, other.grade or 0)


def test_an_auditor_can_repeat_a_sample() -> None:
    exam_id = UUID("0025c3c4-d48b-4e55-a8b1-476141696689")
    digest = hashlib.sha256(b"second_reading:0025c3c4-d48b-4e55-a8b1-476141696689:3").hexdigest()
    number = sample_number(SamplePurpose.SECOND_READING, exam_id, 3)
    assert number == int(digest[:8], 16) / 2**32
    assert number != sample_number(SamplePurpose.SECOND_READING, exam_id, 4)


def test_a_sample_has_about_its_share_and_grows_with_it() -> None:
    ids = [uuid4() for _ in range(4000)]

    def sample(percent: int) -> set[UUID]:
        return {pk for pk in ids if is_sampled(SamplePurpose.SECOND_READING, pk, 0, percent)}

    assert sample(0) == set()
    assert sample(100) == set(ids)
    assert sample(10) < sample(20)
    assert 280 < len(sample(10)) < 520  # 6 standard deviations


@pytest.mark.parametrize(
    ("n_flagged", "n", "expected"),
    [
        (0, 0, TriageObstacle.TOO_FEW_EYES),
        (99, 99, TriageObstacle.TOO_FEW_EYES),
        (100, 100, None),
        (91, 100, TriageObstacle.SENSITIVITY_TOO_LOW),  # the lower limit is .838
        (93, 100, None),  # .863
    ],
)
def test_triage_needs_enough_eyes_and_a_high_sensitivity(
    n_flagged: int, n: int, expected: TriageObstacle | None
) -> None:
    assert triage_obstacle(Proportion(n_flagged, n)) is expected

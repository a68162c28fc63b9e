"""Grade and macular oedema that follow from lesions: each rule alone, and properties over all combinations."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade
from screening.policy import lesions as rules
from screening.policy.lesions import Lesion, Lesions, MacularSigns, cleaned_lesions, icdr_grade, macular_signs

ALL_LESIONS = st.fixed_dictionaries(
    {}, optional={lesion: st.integers(1, maximum) for lesion, maximum in rules.MAX_VALUES.items()}
)
ACUITIES = st.one_of(st.none(), st.floats(-0.3, 3.0))
# Without the check of slow examples: another process can take the processor meanwhile.
BUDGET = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("lesions", "grade"),
    [
        ({}, 0),
        ({Lesion.LASER_SCARS: 1, Lesion.AMD: 1}, 0),
        ({Lesion.MICROANEURYSMS: 1}, 1),
        ({Lesion.MACULAR_RED_LESIONS: 1}, 1),
        ({Lesion.HAEMORRHAGES: 1}, 2),
        ({Lesion.COTTON_WOOL_SPOTS: 1}, 2),
        ({Lesion.HARD_EXUDATES: 1}, 2),
        # the 4-2-1 rule
        ({Lesion.HAEMORRHAGE_QUADRANTS: 3}, 2),
        ({Lesion.HAEMORRHAGE_QUADRANTS: 4}, 3),
        ({Lesion.VENOUS_BEADING_QUADRANTS: 1}, 2),
        ({Lesion.VENOUS_BEADING_QUADRANTS: 2}, 3),
        ({Lesion.IRMA: 1}, 2),
        ({Lesion.IRMA_QUADRANTS: 1}, 3),
        ({Lesion.NEW_VESSELS_DISC: 1}, 4),
        ({Lesion.NEW_VESSELS_ELSEWHERE: 1}, 4),
        ({Lesion.PRERETINAL_HAEMORRHAGE: 1}, 4),
        ({Lesion.FIBROSIS: 1}, 4),
        ({Lesion.DETACHMENT: 1, Lesion.MICROANEURYSMS: 1}, 4),
    ],
)
def test_a_grade_follows_from_lesions(lesions: Lesions, grade: int) -> None:
    assert icdr_grade(lesions) == grade


@pytest.mark.parametrize(
    ("lesions", "logmar", "signs"),
    [
        ({Lesion.HARD_EXUDATES: 2}, None, MacularSigns.NONE),
        ({Lesion.HARD_EXUDATES: 3}, None, MacularSigns.SUSPECTED),
        ({Lesion.EXUDATE_GROUP: 1}, 0.0, MacularSigns.SUSPECTED),
        ({Lesion.MACULAR_RED_LESIONS: 1}, None, MacularSigns.ACUITY_NEEDED),
        ({Lesion.MACULAR_RED_LESIONS: 1}, 0.29, MacularSigns.NONE),
        ({Lesion.MACULAR_RED_LESIONS: 1}, 0.30, MacularSigns.SUSPECTED),  # 6/12
        ({Lesion.MICROANEURYSMS: 1}, 1.0, MacularSigns.NONE),
    ],
)
def test_signs_of_oedema_follow_from_lesions_and_acuity(
    lesions: Lesions, logmar: float | None, signs: MacularSigns
) -> None:
    assert macular_signs(lesions, logmar) is signs


@BUDGET
@given(ALL_LESIONS, st.sampled_from(list(Lesion)), st.data())
def test_one_more_lesion_never_lowers_the_grade(found: dict[Lesion, int], more: Lesion, data: st.DataObject) -> None:
    value = data.draw(st.integers(found.get(more, 0), rules.MAX_VALUES[more]))
    assert icdr_grade(found | {more: value}) >= icdr_grade(found)


@BUDGET
@given(ALL_LESIONS)
def test_a_grade_above_0_needs_a_lesion_of_retinopathy(found: dict[Lesion, int]) -> None:
    assert (icdr_grade(found) > ICDRGrade.NONE) == rules.decides_grade(found)


@BUDGET
@given(ALL_LESIONS, ACUITIES)
def test_an_unknown_acuity_never_hides_what_a_poor_one_shows(found: dict[Lesion, int], logmar: float | None) -> None:
    if macular_signs(found, logmar) is MacularSigns.SUSPECTED:
        assert macular_signs(found, None) is not MacularSigns.NONE


def test_each_rule_has_a_source_and_a_value_in_range() -> None:
    for rule in rules.ICDR_RULES:
        assert rule.source
        assert all(1 <= minimum <= rules.MAX_VALUES[lesion] for lesion, minimum in rule.needs)


@pytest.mark.parametrize("values", [{"warts": 1}, {"irma": 2}, {"irma": -1}, {"irma": True}, {"irma": "1"}])
def test_an_unknown_finding_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"warts|irma"):
        cleaned_lesions(values)


def test_findings_of_0_are_left_out() -> None:
    assert cleaned_lesions({"irma": 0, "fibrosis": 1}) == {Lesion.FIBROSIS: 1}

"""The rules from lesions to grades, as the page gets them: the same table that ``policy`` evaluates."""

from typing import Any

from screening.policy import GradingScale, MacularOedema, Maculopathy
from screening.policy.lesions import ICDR_RULES, MACULAR_RULES, Rule, not_of_the_grade
from screening.policy.scales import SCALES


def rules_for_page(scale: GradingScale) -> dict[str, Any]:
    """Rules of the grade and of the macula, most severe first, and what follows if none applies.

    Signs that depend on the visual acuity are not among them: the server checks them.
    """
    is_icdr = scale is GradingScale.ICDR
    return {
        "grade": _table(ICDR_RULES if is_icdr else SCALES[scale].rules),
        "noGrade": "0" if is_icdr else "R0",
        "macula": _table(MACULAR_RULES if is_icdr else SCALES[scale].macular_rules),
        "lower": [MacularOedema.NONE.value] if is_icdr else [one.value for one in Maculopathy],
        "notOfGrade": sorted(one.value for one in not_of_the_grade(ICDR_RULES if is_icdr else SCALES[scale].rules)),
    }


def _table(rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
    return [{"result": one.result, "needs": [[lesion.value, least] for lesion, least in one.needs]} for one in rules]

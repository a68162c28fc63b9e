"""Write docs/clinical-numbers.md, the table of all clinical and programme numbers, from the code.

    python -m docs.clinical_numbers

Numbers, and the sources beside them, are read from ``screening/policy`` and ``ml/vocabulary.py``: each is assigned in a
separate line, followed by a docstring that begins with its meaning.
"""

import ast
import dataclasses
import datetime
import importlib
from pathlib import Path
from typing import Any

from screening.policy.default_outcomes import default_table
from screening.policy.lesions import ICDR_RULES, MACULAR_RULES, Rule
from screening.policy.outcome_limits import LIMITS, MACULA_LIMITS
from screening.policy.outcome_tables import OutcomeRule
from screening.policy.scales import SCALES, GradingScale

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "clinical-numbers.md"
FILES = (ROOT / "ml" / "vocabulary.py", *sorted((ROOT / "screening" / "policy").glob("*.py")))
TECHNICAL = {
    "ml.vocabulary.N_GRADES",
    "screening.policy.daily_counts.HOURS_SHOWN",
    "screening.policy.default_outcomes.CURRENT_VERSION",
    "screening.policy.default_outcomes.FIRST_VERSION",
    "screening.policy.imports",
    "screening.policy.landmarks",
    "screening.policy.lesions.MAX_VALUES",
    "screening.policy.letters",
    "screening.policy.marks",
    "screening.policy.message_texts",
    "screening.policy.messages",
    "screening.policy.outcome_limits.MAX_RULES",
    "screening.policy.outcome_tables.N_CODES",
    "screening.policy.outcomes.EyeResult",
    "screening.policy.outcomes.PatientFacts",
    "screening.policy.proportions.Z_95",
    "screening.policy.regradings",
}
"""Numbers, and modules and classes of them, that are neither clinical nor of a programme: sizes of texts and drawings,
versions, counts, mathematical constants, facts that are not known yet."""
MARKERS = ("Source", "Default of this project without a source")
SITE_CAN_CHANGE, FIXED = "A site can change", "No site can change"
_HEAD = """<!-- Written by docs/clinical_numbers.py from screening/policy and ml/vocabulary.py. Edit those. -->
# Clinical and programme numbers

Each number of the code with its source, or the words "default of this project without a source", why it has this value,
and whether a site can change it, on the pages under *Site*. A source is named if a text that has the number was found:
the source itself, its abstract, or another text that quotes it. Some rows say that only summaries were read; the others
were not all compared with the full text of the source. Compare a number with it before you rely on the number.

## Numbers
| number | meaning, source | place |
|---|---|---|
"""
_OUTCOMES_HEAD = """
## Default outcome tables
Months until the next photographs, and the longest that a site can choose. A site can change outcome, urgency and months
in its outcome table, within the limits of `screening.policy.outcome_limits`, which has their sources.

| scale | finding | outcome | months | longest | source |
|---|---|---|---|---|---|
"""
_GRADES_HEAD = """
## Findings and grades
The first rule that applies decides. The numbers are the least value of a finding; `screening.policy.lesions.Lesion`
has their meaning. No site can change them.

| scale | grade | findings | source |
|---|---|---|---|
"""


@dataclasses.dataclass(frozen=True)
class Number:
    """A number of the code: ``name`` is the full one, ``text`` the docstring beside it, empty if there is none."""

    name: str
    value: object
    text: str


def find_numbers() -> list[Number]:
    """All clinical and programme numbers, in the order of the files."""
    found = [number for path in FILES for number in _numbers_of(path)]
    return [one for one in found if one.name not in TECHNICAL and one.name.rpartition(".")[0] not in TECHNICAL]


def _numbers_of(path: Path) -> list[Number]:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    module, tree = importlib.import_module(name), ast.parse(path.read_text())
    found = _numbers_in(tree.body, name, module)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and dataclasses.is_dataclass(getattr(module, node.name)):
            found += _numbers_in(node.body, f"{name}.{node.name}", getattr(module, node.name))
    return found


def _numbers_in(body: list[ast.stmt], name: str, owner: Any) -> list[Number]:
    fields = dataclasses.fields(owner) if dataclasses.is_dataclass(owner) else ()
    defaults = {field.name: field.default for field in fields}
    found = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        text = str(following.value.value) if is_text else ""  # type: ignore[union-attr]
        for target in _targets(node):
            value = defaults.get(target, getattr(owner, target, None))
            if _has_number(value):
                found.append(Number(f"{name}.{target}", value, " ".join(text.split()).replace("``", "`")))
    return found


def _targets(node: ast.stmt) -> list[str]:
    """Names that an assignment gives a literal value; not those whose value is another name."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or isinstance(node.value, ast.Name):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [one.id for one in names if isinstance(one, ast.Name)]


def _has_number(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(map(_has_number, value.values()))
    if isinstance(value, tuple):
        return bool(value) and all(map(_has_number, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(_has_number(getattr(value, field.name)) for field in dataclasses.fields(value))
    return isinstance(value, int | float | datetime.timedelta) and not isinstance(value, bool | str)


def show(value: object) -> str:
    """A number, or several, as text."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {show(one)}" for key, one in value.items())
    if isinstance(value, tuple):
        return " to ".join(map(show, value))
    if isinstance(value, datetime.timedelta):
        hours = value.total_seconds() / 3600
        return f"{hours:g} h" if hours < 48 else f"{hours / 24:g} days"
    if dataclasses.is_dataclass(value):
        return ", ".join(f"{field.name} {getattr(value, field.name)}" for field in dataclasses.fields(value))
    return str(value)


def _outcome_row(scale: GradingScale, rule: OutcomeRule) -> str:
    longest = (LIMITS[scale] | MACULA_LIMITS)[rule.code].max_months
    return f"| {scale} | {rule.code} | {rule.outcome}, {rule.urgency} | {rule.months} | {longest} | {rule.source} |"


def _grade_rows(scale: GradingScale, table: tuple[Rule, ...]) -> list[str]:
    """One row for each grade and source, in the order of the rules."""
    rows: dict[tuple[str, str], list[str]] = {}
    for rule in table:
        needs = " and ".join(f"{lesion} {least}" for lesion, least in rule.needs)
        rows.setdefault((rule.result, rule.source), []).append(needs)
    return [f"| {scale} | {grade} | {', '.join(needs)} | {source} |" for (grade, source), needs in rows.items()]


def render() -> str:
    """The text of the page."""
    numbers = [f"| {show(one.value)} | {one.text} | `{one.name}` |" for one in find_numbers()]
    outcomes = [_outcome_row(scale, rule) for scale in GradingScale for rule in default_table(scale).rules]
    grades = [*_grade_rows(GradingScale.ICDR, ICDR_RULES), *_grade_rows(GradingScale.ICDR, MACULAR_RULES)]
    for scale, one in SCALES.items():
        for table in (one.rules, one.macular_rules, one.photocoagulation_rules):
            grades += _grade_rows(scale, table)
    sections = ((_HEAD, numbers), (_OUTCOMES_HEAD, outcomes), (_GRADES_HEAD, grades))
    return "".join(head + "\n".join(rows) + "\n" for head, rows in sections)


if __name__ == "__main__":
    PAGE.write_text(render())

"""HbA1c in both units. No Django.

Conversion between NGSP (per cent) and IFCC (mmol/mol): Hoelzel et al., Clin Chem 2004;50:166, the master equation that
NGSP publishes. Diabetes is diagnosed from 48 mmol/mol (6.5 %; ADA Standards of Care, section 2).
"""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum


class Unit(StrEnum):
    """Units of HbA1c."""

    PERCENT = "percent"
    MMOL_MOL = "mmol_mol"


_SLOPE, _INTERCEPT = Decimal("0.09148"), Decimal("2.152")
POSSIBLE_PERCENT = (Decimal(3), Decimal(20))
"""Analysers report within about 3 to 20 %: a value outside is a slip, or in the other unit."""
EXPECTED_PERCENT = (Decimal(4), Decimal(15))
"""Below it a haemoglobin variant or anaemia is likelier, above it hardly a value is measured: it is questioned."""


def mmol_mol_of(value: Decimal, unit: Unit) -> Decimal:
    """The value in mmol/mol, to one decimal."""
    converted = (value - _INTERCEPT) / _SLOPE if unit is Unit.PERCENT else value
    return converted.quantize(Decimal("0.1"), ROUND_HALF_UP)


def percent_of(mmol_mol: Decimal) -> Decimal:
    """A value in mmol/mol as per cent, to one decimal."""
    return (_SLOPE * mmol_mol + _INTERCEPT).quantize(Decimal("0.1"), ROUND_HALF_UP)


def is_possible(value: Decimal, unit: Unit) -> bool:
    """Whether the value can be measured."""
    return _is_in(POSSIBLE_PERCENT, value, unit)


def is_usual(value: Decimal, unit: Unit) -> bool:
    """Whether the value needs no question."""
    return _is_in(EXPECTED_PERCENT, value, unit)


def _is_in(limits: tuple[Decimal, Decimal], value: Decimal, unit: Unit) -> bool:
    lowest, highest = (mmol_mol_of(limit, Unit.PERCENT) for limit in limits)
    return lowest <= mmol_mol_of(value, unit) <= highest

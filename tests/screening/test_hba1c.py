"""HbA1c in both units."""

from decimal import Decimal

import pytest

from screening.hba1c import Unit, is_possible, is_usual, mmol_mol_of, percent_of

PERCENT, MMOL_MOL = Unit.PERCENT, Unit.MMOL_MOL


@pytest.mark.parametrize(("percent", "mmol_mol"), [("5", 31), ("6", 42), ("6.5", 48), ("7", 53), ("8", 64), ("10", 86)])
def test_values_convert_as_in_the_table_of_ngsp(percent: str, mmol_mol: int) -> None:
    assert round(mmol_mol_of(Decimal(percent), PERCENT)) == mmol_mol
    assert abs(percent_of(Decimal(mmol_mol)) - Decimal(percent)) <= Decimal("0.1")
    assert mmol_mol_of(Decimal(mmol_mol), MMOL_MOL) == mmol_mol


@pytest.mark.parametrize(
    ("value", "unit", "possible", "usual"),
    [
        ("7.2", PERCENT, True, True),
        ("48", PERCENT, False, False),
        ("2.9", PERCENT, False, False),
        ("3.5", PERCENT, True, False),
        ("16", PERCENT, True, False),
        ("55", MMOL_MOL, True, True),
        ("7", MMOL_MOL, False, False),
        ("12", MMOL_MOL, True, False),
        ("200", MMOL_MOL, False, False),
    ],
)
def test_a_value_in_the_wrong_unit_is_found(value: str, unit: Unit, *, possible: bool, usual: bool) -> None:
    assert (is_possible(Decimal(value), unit), is_usual(Decimal(value), unit)) == (possible, usual)

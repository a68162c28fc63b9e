"""What happens with each row of a file of people."""

from typing import Any

import pytest

from screening.models import DataImport, Patient, Site, StagedPerson
from screening.services.merges import merge_patients
from tests.screening.factories import MembershipFactory, PatientFactory
from tests.screening.services.imports.conftest import Begin
from tests.screening.spreadsheets.workbooks import workbook

HEAD = "mrn,family_name,given_name,born_on,phone\n"


def rows_of(data_import: DataImport) -> list[tuple[int, str, str]]:
    """Line, state and what is wrong."""
    rows = StagedPerson.objects.filter(data_import=data_import).order_by("line")
    return [(row.line, row.state, " ".join(" ".join(problem) for problem in row.problem_texts)) for row in rows]


def test_rows_are_new_changed_or_unchanged(begin: Begin, site: Site) -> None:
    PatientFactory(site=site, mrn="A1", family_name="Byron", given_name="Ada", born_on="1960-05-17", phone="1")
    PatientFactory(site=site, mrn="A2", family_name="Curie", given_name="Marie", born_on="1967-11", phone="2")
    data_import = begin(HEAD + "A1,Byron,Ada,1960-05-17,\nA2,Curie,Marie,1967-11-07,3\n\nA3,Noether,Emmy,1982,\n")
    assert [row[:2] for row in rows_of(data_import)] == [(2, "unchanged"), (3, "changed"), (5, "new")]
    changed = StagedPerson.objects.get(line=3)
    assert changed.changes == ["born_on", "phone"]
    assert (data_import.state, data_import.n_rows, data_import.n_new, data_import.n_changed) == ("checked", 3, 1, 1)
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    ("row", "state", "text"),
    [
        ("A2,Lovelace,Ada,,", "refused", "also in line 2"),
        ("A9,Lovelace,Ada,17.05.60,", "refused", "born_on The year has two digits. Write the year with four digits."),
        ("A9,Lovelace,Ada,May,", "refused", "born_on This is no date."),
        ("A9,Lovelace,Ada,2999-01-01,", "refused", "in the future"),
        ("A9,,,,", "refused", "Fill in the family name"),
        (",Lovelace,Ada,,", "refused", "mrn This is missing"),
        ("A9,=HYPERLINK(1),Ada,,", "refused", "family_name This text begins as a formula"),
        (f"A9,{'x' * 600},Ada,,", "refused", "too long"),
        ("A9,Lovelace,Ada,,call me", "refused", "phone Use digits"),
        ("A9,Lovelace,Ada,,1,2", "refused", "more cells than the first line"),
        ("M1,Lovelace,Ada,,", "refused", "was merged into another one"),
        ("1.2E+10,Lovelace,Ada,,", "question", "a spreadsheet had shortened it"),
        ("12345.0,Lovelace,Ada,,", "question", "ends with a decimal zero"),
        ("a2,Lovelace,Ada,,", "question", "only in blanks, dashes"),
        ("A9,Byron,Ada,1960-05-17,", "question", "has another number"),
        ("A9,Ada,Byron,1960,", "question", "has another number"),
        ("A9,Kovalevskaya,Sofja,1950-01-15,", "question", "has another number"),
        ("123,Lovelace,Ada,,", "question", "zeros at its beginning"),
        ("00123,Lovelace,Ada,1815-12-10,", "refused", "older than"),
        ("00123,Lovelace,Ada,1961,", "question", "other names and another birth date"),
        ("00123,Married,Sofja,1950-01-15,", "changed", ""),
        ("A9,Lovelace,Ada,1960,+44 20", "new", ""),
        ("A9,Lovelace,Ada,1960,'+44 20", "new", ""),
    ],
)
def test_a_row_is_refused_or_raises_a_question(begin: Begin, site: Site, row: str, state: str, text: str) -> None:
    kept = PatientFactory(site=site, mrn="00123", family_name="Kovalevskaya", given_name="Sofja", born_on="1950-01-15")
    merged = PatientFactory(site=site, mrn="M1", family_name="Other")
    manager = MembershipFactory(site=site, role="manager").user
    merge_patients(patient=merged, into=kept, reason="registered twice", by=manager)
    found = rows_of(begin(f"{HEAD}A2,Byron,Ada,1960-05-17,\n{row}\nA3,Curie,Marie,,\n"))
    assert [one[1] for one in found] == ["new", state, "new"]
    assert text in found[1][2]
    assert "Lovelace" not in found[1][2]


def test_cells_of_a_workbook_that_excel_has_changed(begin: Begin) -> None:
    import datetime

    head: list[Any] = ["mrn", "family_name", "born_on"]
    day = datetime.date(2026, 1, 2)
    rows = [head, [12, "A", 22052], [1234567890123456789, "B", None], [day, "C", None], ["X", "=1+1", None]]
    found = rows_of(begin(workbook(rows)))
    assert [one[1] for one in found] == ["new", "refused", "refused", "refused"]
    assert "more than 15 digits" in found[1][2]
    assert "has made a date" in found[2][2]
    assert "has a formula" in found[3][2]
    assert StagedPerson.objects.get(line=2).mrn == "12"
    assert StagedPerson.objects.get(line=2).born_on == "1960-05-16"


def test_a_birth_date_replaces_an_estimated_age(begin: Begin, site: Site) -> None:
    PatientFactory(site=site, mrn="A1", born_on="", estimated_age=60, age_estimated_on="2026-01-02")
    data_import = begin("mrn,family_name,born_on\nA1,Byron,1966\n")
    assert StagedPerson.objects.get(data_import=data_import).changes == ["born_on"]


def test_questions_are_raised_across_batches(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screening.services.imports.checking.BATCH_ROWS", 1)
    found = rows_of(begin(HEAD + "A1,Byron,Ada,1960,\nA2,Byron,Ada,1960,\na1,Other,Eve,,\nA1,Third,Eve,,\n"))
    assert [one[1] for one in found] == ["new", "question", "question", "refused"]


def test_a_batch_needs_few_queries(begin: Begin, site: Site, django_assert_max_num_queries: Any) -> None:
    PatientFactory.create_batch(3, site=site)
    text = HEAD + "".join(f"N{n},Family{n},Given,1960,\n" for n in range(200))
    with django_assert_max_num_queries(60):
        assert begin(text).n_new == 200

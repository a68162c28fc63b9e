"""The course of an import: questions, cancelling, crashes, writing as a whole, deleting data."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from screening.access import AccessDenied
from screening.labels.imports import CELL_TEXTS
from screening.models import AuditEvent, DataImport, Membership, Patient, Site, StagedPerson, StagedTerm, User
from screening.policy.imports import DateOrder, ImportKind, RowAnswer
from screening.selectors import search_patients
from screening.services.imports import jobs, reading
from screening.services.imports.cleanup import clean_up_imports
from screening.services.imports.reports import export_report
from screening.services.imports.work import work_on_import
from screening.services.patients import register_patient, update_patient
from screening.spreadsheets.refusals import FileRefused
from screening.spreadsheets.writing import FileFormat
from tests.screening.factories import PatientFactory, SiteFactory
from tests.screening.services.imports.conftest import HEAD, ROWS, Begin, apply, files, work


def test_people_are_registered_as_on_the_page(begin: Begin, site: Site, photographer: User) -> None:
    known = PatientFactory(site=site, mrn="A2", family_name="Curie", given_name="M.", born_on="", estimated_age=58,
                           age_estimated_on="2026-01-02")  # fmt: skip
    data_import = begin(ROWS)
    assert not AuditEvent.objects.filter(verb__startswith="patient.").exists()
    done = apply(data_import, photographer)
    assert (done.state, done.n_new, done.n_changed, done.n_left_out) == ("applied", 1, 1, 0)
    new = Patient.objects.get(mrn="A1")
    assert (new.family_name, new.born_on, new.site, new.sex) == ("Byron", "1960", site, "U")
    assert (new.register_status, new.due_on, new.next_step) == ("eligible", timezone.localdate(), "invite")
    by_page = register_patient(site=site, mrn="P1", family_name="Byron", given_name="Eve", by=photographer)
    same = {"folded_name", "name_key", "register_status", "due_on", "next_step", "next_step_on", "screened_on"}
    assert {name for name in same if getattr(new, name) == getattr(by_page, name)} == same - {"folded_name", "name_key"}
    assert (new.folded_name, new.name_key) == ("byron ada", "aabdnory")
    known.refresh_from_db()
    assert (known.given_name, known.born_on, known.phone, known.estimated_age) == ("Marie", "1967-11", "020 7946", None)
    assert [one.mrn for one in search_patients(user=photographer, text="marie cur")] == ["A2"]
    assert not search_patients(user=photographer, text="m.").filter(mrn="A2", given_name="M.").exists()
    events = AuditEvent.objects.filter(data__has_key="import")
    assert {(one.verb, one.object_id, one.actor) for one in events} == {
        ("patient.registered", str(new.pk), photographer),
        ("patient.updated", str(known.pk), photographer),
    }
    assert AuditEvent.objects.get(verb="import.applied").data["n_rows"] == 2


def test_the_data_are_deleted_after_the_import(begin: Begin, photographer: User) -> None:
    data_import = begin(ROWS + "A3,Noether,Emmy,1.1.82,5\n")
    assert len(files()) == 1
    assert not any("Byron" in name for name in files())
    with pytest.raises(jobs.RowsLeftOut):
        jobs.apply_import(data_import=data_import, by=photographer)
    assert apply(data_import, photographer, leaves_out=True).n_left_out == 1
    assert files() == []
    (row,) = StagedPerson.objects.all()
    assert (row.line, row.mrn, row.family_name, row.name_key, row.phone) == (4, "", "", "", "")
    assert row.problems
    assert not StagedTerm.objects.exists()
    DataImport.objects.update(expires_at=timezone.now())
    clean_up_imports()
    assert not StagedPerson.objects.exists()


def test_a_cancelled_import_leaves_nothing(begin: Begin, photographer: User) -> None:
    data_import = begin(ROWS)
    jobs.cancel_import(data_import=data_import, by=photographer)
    assert (files(), StagedPerson.objects.count(), Patient.objects.count()) == ([], 0, 0)
    with pytest.raises(jobs.ImportChanged):
        jobs.apply_import(data_import=data_import, by=photographer)
    assert AuditEvent.objects.filter(verb="import.cancelled", object_id=str(data_import.pk)).count() == 1


def test_an_import_without_a_decision_expires(begin: Begin) -> None:
    data_import = begin(ROWS)
    DataImport.objects.update(expires_at=timezone.now())
    clean_up_imports()
    data_import.refresh_from_db()
    assert (data_import.state, files(), StagedPerson.objects.count()) == ("expired", [], 0)


def test_the_order_of_dates_is_one_question(begin: Begin, photographer: User) -> None:
    data_import = begin(HEAD + "A1,Byron,Ada,03/04/1960,\nA2,Curie,Marie,05/06/1967,\n")
    assert data_import.state == "asking"
    jobs.answer_date_order(data_import=data_import, order=DateOrder.MONTH_FIRST, by=photographer)
    work(data_import)
    assert StagedPerson.objects.get(line=2).born_on == "1960-03-04"
    with pytest.raises(jobs.ImportChanged):
        jobs.answer_date_order(data_import=data_import, order=DateOrder.DAY_FIRST, by=photographer)


def test_a_file_that_shows_the_order_raises_no_question(begin: Begin) -> None:
    data_import = begin(HEAD + "A1,Byron,Ada,03/04/1960,\nA2,Curie,Marie,25/06/1967,\n")
    assert (data_import.state, data_import.date_order) == ("checked", "day_first")


def test_rows_with_a_question_are_written_if_a_person_decides_so(begin: Begin, photographer: User) -> None:
    data_import = begin(HEAD + "A1,Byron,Ada,1960,\nA2,Byron,Ada,1960,\nA3,Byron,Ada,1960,\n")
    assert data_import.n_question == 2
    jobs.answer_rows(data_import=data_import, lines=[3], answer=RowAnswer.ACCEPT, by=photographer)
    assert apply(data_import, photographer, leaves_out=True).n_left_out == 1
    assert sorted(Patient.objects.values_list("mrn", flat=True)) == ["A1", "A2"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("mrn,family_name,colour\nA1,B,C\n", "Columns 3 are not known"),
        ("A1,Byron\nA2,Curie\n", "Columns 1, 2 are not known"),
        ("mrn,family_name,mrn\nA1,B,C\n", "twice"),
        ("mrn,born_on\nA1,1960\n", "family_name / given_name"),
        ("mrn,family_name\n\n", "no rows"),
        (",".join(f"c{n}" for n in range(60)) + "\nx\n", "more than 50 columns"),
        ("mrn,family_name\n" + "".join(f"A{n},B\n" for n in range(6)), "more than 5 rows"),
    ],
)
def test_a_file_is_refused_with_one_sentence(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, content: str, text: str
) -> None:
    from screening.labels.imports import problem_text

    monkeypatch.setattr(reading, "MAX_ROWS", 5)
    data_import = begin(content)
    assert data_import.state == "refused"
    assert text in problem_text(data_import.problem, data_import.problem_values)
    assert (files(), StagedPerson.objects.count()) == ([], 0)


def test_sizes_are_checked_before_anything_is_stored(
    site: Site, photographer: User, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_FILE_BYTES", 10)
    for content in (b"", b"x" * 11):
        with pytest.raises(FileRefused):
            jobs.begin_import(site=site, kind=ImportKind.PEOPLE, file=SimpleUploadedFile("a", content), by=photographer)
    with pytest.raises(AccessDenied):
        jobs.begin_import(site=site, kind=ImportKind.PEOPLE, file=SimpleUploadedFile("a", b"x"), by=reviewer)
    assert files() == []


def test_a_site_has_one_import_at_a_time(begin: Begin, site: Site, photographer: User) -> None:
    first = begin(ROWS)
    with pytest.raises(jobs.ImportActive) as error:
        begin(ROWS)
    assert error.value.active == first
    assert len(files()) == 1
    with pytest.raises(IntegrityError):
        DataImport.objects.create(site=site, kind="people", owner=photographer, n_bytes=1, expires_at=timezone.now())


def test_a_second_click_writes_nothing_more(begin: Begin, photographer: User) -> None:
    data_import = begin(ROWS)
    jobs.apply_import(data_import=data_import, by=photographer)
    with pytest.raises(jobs.ImportChanged):
        jobs.apply_import(data_import=data_import, by=photographer)
    work(data_import)
    work_on_import(import_id=data_import.pk)  # a message that is delivered twice
    assert Patient.objects.count() == 2


def test_the_file_is_checked_again_if_the_register_has_changed(begin: Begin, site: Site, photographer: User) -> None:
    data_import = begin(ROWS)
    register_patient(site=site, mrn="A2", family_name="Curie", given_name="Marie", by=photographer)
    again = apply(data_import, photographer)
    assert (again.state, again.is_checked_again, again.n_new, again.n_changed) == ("checked", True, 1, 1)
    assert Patient.objects.count() == 1
    assert apply(again, photographer).state == "applied"
    assert Patient.objects.get(mrn="A2").phone == "020 7946"


def test_a_detail_changed_meanwhile_is_not_overwritten(begin: Begin, site: Site, photographer: User) -> None:
    known = PatientFactory(site=site, mrn="A2", family_name="Curie", given_name="Marie", born_on="1967-11", phone="1")
    data_import = begin(ROWS)
    update_patient(patient=known, phone="2", by=photographer)
    again = apply(data_import, photographer)
    known.refresh_from_db()
    assert (again.state, again.is_checked_again, known.phone) == ("checked", True, "2")


def test_a_change_of_other_people_is_no_reason_to_check_again(begin: Begin, site: Site, photographer: User) -> None:
    other = PatientFactory(site=site, mrn="Z1", family_name="Zuse", given_name="Konrad")
    data_import = begin(ROWS)
    update_patient(patient=other, phone="1", by=photographer)
    assert apply(data_import, photographer).state == "applied"


def test_a_number_that_appears_without_an_event_is_noticed(begin: Begin, site: Site, photographer: User) -> None:
    data_import = begin(ROWS)
    PatientFactory(site=site, mrn="A1", family_name="Other")
    again = apply(data_import, photographer)
    assert (again.state, again.is_checked_again) == ("checked", True)
    assert Patient.objects.count() == 1


def test_who_lost_the_role_writes_nothing(begin: Begin, photographer: User) -> None:
    data_import = begin(ROWS)
    jobs.apply_import(data_import=data_import, by=photographer)
    Membership.objects.filter(user=photographer).delete()
    assert work(data_import).state == "checked"
    assert not Patient.objects.exists()


def test_other_sites_are_not_touched(begin: Begin, photographer: User) -> None:
    other = PatientFactory(site=SiteFactory(), mrn="A1", family_name="Byron", given_name="Ada", born_on="1960")
    assert apply(begin(ROWS), photographer).n_new == 2
    other.refresh_from_db()
    assert other.phone == ""


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_the_report_names_rows_and_no_values(begin: Begin, photographer: User, file_format: FileFormat) -> None:
    data_import = begin(HEAD + "A1,Byron,=cmd,1.1.82,\nA2,Curie,Marie,,\n")
    content = b"".join(export_report(data_import=data_import, file_format=file_format, by=photographer).chunks)
    if file_format is FileFormat.CSV:
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert head == ["Line", "Row", "Column", "What is wrong", "What to do"]
        assert [row[:3] for row in rows] == [["2", "Refused", "given_name"], ["2", "Refused", "born_on"]]
        assert "Byron" not in str(rows)
    assert b"cmd" not in content


def test_what_is_wrong_is_read_in_the_language_of_the_reader(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague may finish an import that was begun in another language: codes are stored."""
    begin(HEAD + f"A1,Byron,Ada,17.05.60,\nA2,{'B' * 81},Ada,1960-05-17,\n")
    row, refused = StagedPerson.objects.order_by("line")
    assert refused.problems == [["family_name", "too_long", {"limit": 80}]], "refused by a service"
    assert refused.problem_texts[0][1] == "This is too long: write at most 80 characters."
    assert row.problems == [["born_on", "two_digit_year", 0]]
    assert row.problem_texts == [("born_on", "The year has two digits.", "Write the year with four digits.")]
    monkeypatch.setitem(CELL_TEXTS, "two_digit_year", (gettext_lazy("Wednesday"), gettext_lazy("Friday")))
    with translation.override("de"):
        assert row.problem_texts == [("born_on", "Mittwoch", "Freitag")]
        assert "höchstens 80 Zeichen" in refused.problem_texts[0][1]

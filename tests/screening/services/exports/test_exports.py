"""Exported lists: rows with the filters in view, access, audit, blindness."""

import csv
import datetime
import io
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy
from pytest_django import DjangoAssertNumQueries

from screening.access import AccessDenied
from screening.models import AuditEvent, ContactAttempt, Patient, Site, User
from screening.policy.recall import RecallState
from screening.policy.register import RegisterReason, RegisterStatus
from screening.selectors import WorklistFilters
from screening.selectors.due_list import DueFilters
from screening.selectors.results import ResultFilters
from screening.services.exports import files
from screening.services.exports.columns import ListColumns, column
from screening.services.exports.exams import export_results, export_worklist
from screening.services.exports.files import ExportFile, ExportRefused, export_rows
from screening.services.exports.people import export_contacts, export_due_list, export_patients, export_register
from screening.services.register import change_register_status
from screening.spreadsheets.writing import FileFormat
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)

CSV = FileFormat.CSV


def rows_of(file: ExportFile) -> list[dict[str, str]]:
    text = b"".join(file.chunks).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_due_list_has_the_people_in_view(site: Site, photographer: User) -> None:
    late = timezone.localdate() - datetime.timedelta(days=60)
    PatientFactory(site=site, family_name="=HYPERLINK(1)", mrn="A1", due_on=late, phone="+44 20")
    PatientFactory(site=site, mrn="B1")
    filters = DueFilters(state=RecallState.OVERDUE)
    file = export_due_list(site=site, filters=filters, text="a1", file_format=CSV, by=photographer)
    (row,) = rows_of(file)
    assert (row["Family name"], row["Telephone number"]) == ("'=HYPERLINK(1)", "'+44 20")
    assert (row["Due"], row["Status"], row["Last screened"]) == (f"{late}", "Overdue", "")
    assert file.name == f"due-list-{site.code}-{timezone.localdate()}.csv"
    event = AuditEvent.objects.get(verb="list.exported")
    assert (event.site, event.data["n_found"], event.data["filters"]) == (site, 1, "state=overdue")
    assert event.data["is_search"]
    assert "a1" not in str(event.data)


def test_the_register_and_the_contacts_of_the_people_in_view(site: Site, photographer: User) -> None:
    patient = PatientFactory(site=site, mrn="A1")
    PatientFactory(site=site, mrn="B1")
    change_register_status(
        patient=patient, status=RegisterStatus.MOVED, reason=RegisterReason.OUT_OF_AREA, by=photographer
    )
    for one in (patient, PatientFactory(site=site, mrn="C1")):
        ContactAttempt.objects.create(
            patient=one, kind="phone_call", channel="phone", result="reached", on="2026-01-02", recorded_by=photographer
        )
    filters = DueFilters(state=RecallState.MOVED)
    values: dict[str, Any] = {"site": site, "filters": filters, "text": "", "file_format": CSV, "by": photographer}
    (row,) = rows_of(export_register(**values))
    assert (row["Medical record number"], row["Status in the register"]) == ("A1", "Moved away")
    assert (row["Reason"], row["From"]) == ("Left the area", str(timezone.localdate()))
    (row,) = rows_of(export_contacts(**values))
    assert (row["Medical record number"], row["Day"], row["Result"]) == ("A1", "2026-01-02", "person answered")


def test_who_may_not_see_a_list_exports_nothing(site: Site, reviewer: User, outsider: User) -> None:
    PatientFactory(site=site)
    with pytest.raises(AccessDenied):
        export_due_list(site=site, filters=DueFilters(), text="", file_format=CSV, by=reviewer)
    assert rows_of(export_patients(text="", file_format=CSV, by=outsider)) == []
    assert len(rows_of(export_patients(text="", file_format=CSV, by=reviewer))) == 1


def test_a_reader_exports_no_result_of_the_model_at_a_blind_site(site: Site, reviewer: User, manager: User) -> None:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True, worklist_rank=0)
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=4)
    (row,) = rows_of(export_worklist(filters=WorklistFilters(), text="", file_format=CSV, by=reviewer))
    assert "Model" not in row
    assert "threatening" not in str(row)
    (row,) = rows_of(export_worklist(filters=WorklistFilters(), text="", file_format=CSV, by=manager))
    assert row["Model"]
    site.reading_mode = Site.ReadingMode.SIDE_BY_SIDE
    site.save()
    (row,) = rows_of(export_worklist(filters=WorklistFilters(), text="", file_format=CSV, by=reviewer))
    assert row["Model"]


def test_results_have_the_findings_of_both_eyes(site: Site, reviewer: User) -> None:
    review = ReviewFactory(exam__patient=PatientFactory(site=site), recall_on="2027-01-31")
    EyeFindingFactory(review=review, laterality="OD", grade=2)
    EyeFindingFactory(review=review, laterality="OS", is_gradable=False, grade=None)
    (row,) = rows_of(export_results(filters=ResultFilters(site=site), file_format=CSV, by=reviewer))
    assert (row["Right eye (OD)"], row["Left eye (OS)"]) == ("Moderate non-proliferative", "Ungradable")
    assert row["Recall on"] == "2027-01-31"
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    assert rows_of(export_results(filters=ResultFilters(from_on=tomorrow), file_format=CSV, by=reviewer)) == []


@pytest.mark.parametrize(("zone", "is_found"), [("Pacific/Auckland", True), ("UTC", False)])
def test_the_day_of_a_result_is_that_at_its_site(site: Site, reviewer: User, zone: str, is_found: bool) -> None:
    site.timezone = zone
    site.save()
    ReviewFactory(
        exam__patient=PatientFactory(site=site), signed_at=datetime.datetime(2026, 11, 27, 23, 30, tzinfo=datetime.UTC)
    )
    day = datetime.date(2026, 11, 28)
    for chosen in (site, None):
        filters = ResultFilters(site=chosen, from_on=day, to_on=day)
        assert bool(rows_of(export_results(filters=filters, file_format=CSV, by=reviewer))) == is_found


def test_the_number_of_queries_is_that_of_chunks(
    site: Site, reviewer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _n in range(5):
        EyeFindingFactory(review=ReviewFactory(exam__patient=PatientFactory(site=site)))
    with django_assert_max_num_queries(6):
        assert len(rows_of(export_results(filters=ResultFilters(), file_format=CSV, by=reviewer))) == 5


class _Language(ListColumns):
    code = column(gettext_lazy("Language"), lambda _one: translation.get_language())


def test_the_language_is_that_of_the_request(site: Site, photographer: User) -> None:
    PatientFactory(site=site)
    with translation.override("de"):
        file = export_rows(
            code="patients",
            columns=_Language(),
            rows=Patient.objects.all(),
            file_format=CSV,
            site=site,
            filters={},
            by=photographer,
        )
    assert [list(row.values()) for row in rows_of(file)] == [["de"]]
    assert translation.get_language() == "en"


def test_more_rows_than_a_sheet_has_are_refused(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    PatientFactory.create_batch(2, site=site)
    monkeypatch.setattr(files, "MAX_XLSX_ROWS", 1)
    with pytest.raises(ExportRefused, match="Export CSV"):
        export_patients(text="", file_format=FileFormat.XLSX, by=photographer)
    assert not AuditEvent.objects.filter(verb="list.exported").exists()

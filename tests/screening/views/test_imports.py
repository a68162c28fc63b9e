"""Pages of imports."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from screening.models import AuditEvent, DataImport, Patient, Site, StagedPerson
from tests.screening.factories import DataImportFactory, PatientFactory
from tests.screening.services.imports.conftest import work
from tests.screening.views.pages import HTMX, count_queries, page_text, text_of, url

TEXT = "mrn,family_name,born_on\nA1,Byron,1960\nA2,Curie,1967\n"


def send(client: Client, site: Site, text: str) -> Any:
    file = SimpleUploadedFile("Byron, Ada.csv", text.encode())
    return client.post(url("site-imports", site.pk, "people"), {"file": file})


def test_a_file_is_checked_and_then_imported(site: Site, as_photographer: Client) -> None:
    response = send(as_photographer, site, TEXT)
    data_import = DataImport.objects.get()
    assert response["Location"] == url("import", data_import.pk)
    text = page_text(as_photographer, "import", data_import.pk)
    assert "The file is being read" in text
    assert "every 2s" in text
    work(data_import)
    text = page_text(as_photographer, "import", data_import.pk)
    assert "2 of 2 rows are checked." in text
    assert "Byron, 1960" in text
    assert not Patient.objects.exists()
    assert AuditEvent.objects.get(verb="import.viewed").data == {"n_found": 2}
    as_photographer.post(url("import-apply", data_import.pk))
    as_photographer.post(url("import-apply", data_import.pk))  # a double click
    work(data_import)
    assert Patient.objects.count() == 2
    text = page_text(as_photographer, "import", data_import.pk)
    assert "Imported" in text
    assert "every 2s" not in text


def test_rows_with_a_question_are_answered_on_the_page(site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, mrn="A9", family_name="Byron", given_name="", born_on="1960")
    send(as_photographer, site, TEXT + "A3,,1960\n")
    data_import = work(DataImport.objects.get())
    text = page_text(as_photographer, "import", data_import.pk)
    assert "Check whether it is the same person." in text
    assert "2 rows that are refused or have an open question" in text
    response = as_photographer.post(url("import-apply", data_import.pk), follow=True)
    assert "Some rows would be left out." in text_of(response)
    as_photographer.post(url("import-answers", data_import.pk), {"lines": ["3", "x"], "answer": "accept"})
    assert not StagedPerson.objects.exclude(answer="").exists()
    as_photographer.post(url("import-answers", data_import.pk), {"lines": ["2"], "answer": "accept"})
    assert list(StagedPerson.objects.filter(answer="accept").values_list("line", flat=True)) == [2]
    as_photographer.post(url("import-apply", data_import.pk), {"leaves_out": "on"})
    work(data_import)
    assert sorted(Patient.objects.values_list("mrn", flat=True)) == ["A1", "A2", "A9"]


def test_a_file_is_refused_on_the_page_with_a_reason(site: Site, as_photographer: Client) -> None:
    response = send(as_photographer, site, "")
    assert response.status_code == 422
    assert "The file is empty. Choose another one." in text_of(response)
    send(as_photographer, site, "colour\nred\n")
    data_import = work(DataImport.objects.get())
    assert "Columns 1 are not known." in page_text(as_photographer, "import", data_import.pk)


def test_a_second_file_at_the_same_time_is_refused(site: Site, as_photographer: Client) -> None:
    send(as_photographer, site, TEXT)
    response = as_photographer.post(
        url("site-imports", site.pk, "people"), {"file": SimpleUploadedFile("a", b"mrn")}, follow=True
    )
    assert "An import of this site is not finished." in text_of(response)
    assert DataImport.objects.count() == 1
    as_photographer.post(url("import-cancel", DataImport.objects.get().pk))
    send(as_photographer, site, TEXT)
    assert DataImport.objects.count() == 2


def test_the_question_about_dates_is_on_the_page(site: Site, as_photographer: Client) -> None:
    send(as_photographer, site, TEXT.replace("1960", "03/04/1960"))
    data_import = work(DataImport.objects.get())
    assert "What comes first in dates" in page_text(as_photographer, "import", data_import.pk)
    as_photographer.post(url("import-date-order", data_import.pk), {"order": "month_first"})
    work(data_import)
    text = page_text(as_photographer, "import", data_import.pk)
    assert "month, day, year" in text


def test_the_progress_is_polled_until_a_person_is_needed(site: Site, as_photographer: Client) -> None:
    data_import = DataImportFactory(site=site, state="checking", n_rows=9, n_checked=4, n_refused=1)
    address = url("import-status", data_import.pk)
    text = text_of(as_photographer.get(address, headers=HTMX))
    assert "4 of 9 rows are checked." in text
    assert "every 2s" in text
    assert "<html" not in text
    DataImport.objects.update(state="checked")
    assert as_photographer.get(address, headers=HTMX)["HX-Refresh"] == "true"
    assert "every 2s" not in text_of(as_photographer.get(address))


def test_a_page_of_rows_needs_as_many_queries_for_any_number(site: Site, as_photographer: Client) -> None:
    data_import = DataImportFactory(site=site, state="checked", n_rows=200, n_checked=200)
    for line in range(2):
        StagedPerson.objects.create(data_import=data_import, line=line, state="new")
    n_queries = count_queries(as_photographer, "import", data_import.pk)
    for line in range(2, 150):
        StagedPerson.objects.create(data_import=data_import, line=line, state="new")
    assert count_queries(as_photographer, "import", data_import.pk) == n_queries
    assert n_queries <= 16
    assert "Page 1 of 3" in page_text(as_photographer, "import", data_import.pk)

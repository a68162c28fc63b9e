"""Imports whose worker crashes, whose file is lost, or which two workers have at once."""

import datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from screening.models import DataImport, Patient, Site, StagedPerson, User
from screening.services.imports import checking, jobs
from screening.services.imports.cleanup import clean_up_imports
from screening.services.imports.kinds import kind_of
from screening.services.imports.work import work_on_import
from tests.screening.services.imports.conftest import HEAD, ROWS, Begin, apply, begin_import_of, files, work


def test_a_check_goes_on_after_a_crash(begin: Begin, monkeypatch: pytest.MonkeyPatch, photographer: User) -> None:
    monkeypatch.setattr(checking, "BATCH_ROWS", 2)
    stored = checking._check_batch
    batches: list[int] = []

    def crash_at_third(*args: Any) -> bool:
        batches.append(1)
        if len(batches) == 3:
            raise MemoryError
        return stored(*args)

    monkeypatch.setattr(checking, "_check_batch", crash_at_third)
    with pytest.raises(MemoryError):
        begin(HEAD + "".join(f"A{n},Byron{n},Ada,1960,\n" for n in range(9)))
    data_import = DataImport.objects.get()
    assert (data_import.state, data_import.n_checked) == ("checking", 4)
    sent: list[Any] = []
    monkeypatch.setattr("screening.services.imports.cleanup.publish", sent.append)
    assert clean_up_imports() == 0
    DataImport.objects.update(worked_at=timezone.now() - datetime.timedelta(minutes=5))
    assert clean_up_imports() == 1
    assert sent == [data_import.pk]
    assert work(data_import).n_new == 9
    assert apply(data_import, photographer).state == "applied"
    assert Patient.objects.count() == 9


@pytest.mark.parametrize(
    "name", ["reading.read_table", "checking._check_batch", "people_writing._write_events", "checking.stored_file"]
)
def test_an_import_that_ends_its_workers_is_refused_after_three_tries(
    name: str, begin: Begin, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(f"screening.services.imports.{name}", fail)
    monkeypatch.setattr("screening.services.imports.cleanup.publish", lambda _id: None)
    with pytest.raises(MemoryError):
        apply(begin(ROWS), photographer)
    data_import = DataImport.objects.get()
    for n_tries in (1, 2, 3):
        data_import.refresh_from_db()
        assert (data_import.n_tries, data_import.is_active) == (n_tries, True)
        DataImport.objects.update(worked_at=timezone.now() - datetime.timedelta(minutes=5))
        assert clean_up_imports() == (0 if n_tries == 3 else 1)
        if n_tries < 3:
            with pytest.raises(MemoryError):
                work_on_import(import_id=data_import.pk)
    data_import.refresh_from_db()
    assert (data_import.state, data_import.problem) == ("refused", "no_result")
    assert (files(), StagedPerson.objects.count(), Patient.objects.count()) == ([], 0, 0)
    monkeypatch.undo()
    assert begin(ROWS).state == "checked"


def test_an_import_whose_file_was_deleted_ends_with_a_sentence(
    begin: Begin, site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(data_import: DataImport) -> None:
        for name in filter(None, (data_import.file, data_import.rows_file)):
            default_storage.delete(name)

    first = begin_import_of(site, photographer)
    lose(first)
    assert (work(first).state, first.problem) == ("refused", "file_lost")
    second = begin_import_of(site, photographer)
    work_on_import(import_id=second.pk)
    second.refresh_from_db()
    lose(second)
    assert (second.state, work(second).state, second.problem) == ("checking", "refused", "file_lost")
    assert not Patient.objects.exists()


def test_two_workers_do_not_check_a_row_twice(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SLICE_S", -1.0)
    monkeypatch.setattr(checking, "BATCH_ROWS", 2)
    staged = kind_of

    def other_worker_first(data_import: DataImport) -> Any:
        monkeypatch.setattr("screening.services.imports.checking.kind_of", staged)
        checking.check_rows(DataImport.objects.select_related("site").get(pk=data_import.pk))
        return staged(data_import)

    monkeypatch.setattr("screening.services.imports.checking.kind_of", other_worker_first)
    data_import = begin(HEAD + "".join(f"A{n},Byron{n},Ada,1960,\n" for n in range(5)))
    assert (data_import.n_checked, data_import.n_new, StagedPerson.objects.count()) == (5, 5, 5)


def test_nothing_is_written_if_one_row_fails(begin: Begin, photographer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    data_import = begin(ROWS)
    jobs.apply_import(data_import=data_import, by=photographer)

    def fail(*_args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("screening.services.imports.people_writing._write_events", fail)
    with pytest.raises(MemoryError):
        work(data_import)
    assert not Patient.objects.exists()
    monkeypatch.undo()
    assert work(data_import).state == "applied"
    assert Patient.objects.count() == 2


def test_expired_orphaned_files_are_deleted(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(ROWS)
    default_storage.save("imports/0/x.part", SimpleUploadedFile("x", b"x"))
    clean_up_imports()
    assert len(files()) == 2
    monkeypatch.setattr("screening.services.imports.cleanup.KEPT_FOR", datetime.timedelta(0))
    clean_up_imports()
    assert len(files()) == 1

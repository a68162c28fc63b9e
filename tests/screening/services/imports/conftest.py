"""Imports that are worked on in the process of the test."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from screening.models import DataImport, Site, User
from screening.policy.imports import WORKING_STATES, ImportKind
from screening.services.imports import jobs
from screening.services.imports.work import work_on_import

Begin = Callable[..., DataImport]


def work(data_import: DataImport) -> DataImport:
    """The import after all steps that need no person."""
    for _step in range(200):
        data_import.refresh_from_db()
        if data_import.state not in WORKING_STATES:
            return data_import
        work_on_import(import_id=data_import.pk)
    raise AssertionError("The import does not end.")


@pytest.fixture
def begin(site: Site, photographer: User) -> Begin:
    """Send a file and have it checked."""

    def run(content: str | bytes, *, kind: ImportKind = ImportKind.PEOPLE, by: User = photographer) -> DataImport:
        data = content.encode() if isinstance(content, str) else content
        return work(jobs.begin_import(site=site, kind=kind, file=SimpleUploadedFile("Byron, Ada.csv", data), by=by))

    return run


HEAD = "mrn,family_name,given_name,born_on,phone\n"
ROWS = HEAD + "A1,Byron,Ada,1960,\nA2,Curie,Marie,1967-11,020 7946\n"


def files() -> list[str]:
    try:
        folders = default_storage.listdir("imports")[0]
    except FileNotFoundError:
        return []
    return [name for folder in folders for name in default_storage.listdir(f"imports/{folder}")[1]]


def apply(data_import: DataImport, by: User, **values: Any) -> DataImport:
    jobs.apply_import(data_import=data_import, by=by, **values)
    return work(data_import)


def begin_import_of(site: Site, by: User) -> DataImport:
    file = SimpleUploadedFile("people.csv", ROWS.encode())
    return jobs.begin_import(site=site, kind=ImportKind.PEOPLE, file=file, by=by)

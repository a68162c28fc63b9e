"""One step of the work on an import: reading, checking or writing. Safe to repeat after a crash."""

import uuid

from django.db.models import F

from screening.models import DataImport
from screening.policy.imports import WORKING_STATES, ImportState
from screening.services.imports.applying import apply_rows
from screening.services.imports.checking import check_rows
from screening.services.imports.cleanup import delete_data
from screening.services.imports.reading import read_file


def work_on_import(*, import_id: uuid.UUID) -> None:
    """Carry out the step that the state of the import asks for."""
    waiting = DataImport.objects.filter(pk=import_id, state__in=WORKING_STATES)
    waiting.update(n_tries=F("n_tries") + 1)  # at once: if the worker is killed, nothing else shows that it began
    data_import = DataImport.objects.select_related("site").filter(pk=import_id).first()
    if data_import is None:
        return
    if data_import.state == ImportState.READING:
        read_file(data_import)
    elif data_import.state == ImportState.CHECKING:
        check_rows(data_import)
    elif data_import.state == ImportState.APPLYING:
        apply_rows(data_import)
    delete_data(data_import)

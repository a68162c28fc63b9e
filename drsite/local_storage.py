"""Storage of photographs in a folder: a file has its name only once it is complete."""

import os
from contextlib import suppress
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from screening.services.orphaned_files import PARTIAL_SUFFIX


class LocalPhotographStorage(FileSystemStorage):
    """Writes a file under another name and renames it, so that a full disk or a killed process leaves no half file."""

    def _save(self, name: str, content: "File[Any]") -> str:
        partial = f"{name}{PARTIAL_SUFFIX}"
        try:
            written = super()._save(partial, content)  # type: ignore[misc]  # the stubs lack it
            os.rename(self.path(written), self.path(name))  # noqa: PTH104 (names of this storage are texts)
        except BaseException:
            with suppress(OSError):
                os.unlink(self.path(partial))  # noqa: PTH108
            raise
        return name

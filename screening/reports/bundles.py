"""Files of many letters: one PDF for a folding machine, and an archive of separate files.

Both are written to files of the disk: the memory does not grow with the number of letters.
"""

import shutil
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from screening.models import Document

A4_PT = (595.28, 841.89)
GROUP = 40
"""Letters that are open at once; groups are joined afterwards."""


def write_folded_pdf(documents: Iterable[Document], out: BinaryIO) -> None:
    """Write all pages into one PDF, each letter from the front of a sheet: an odd number of pages gets an empty one.

    Printed on both sides, so no sheet has two letters. The tags for screen readers are in the separate files only.
    """
    with ExitStack() as stack:
        groups = []
        rows = iter(documents)
        while group := list(islice(rows, GROUP)):
            file = stack.enter_context(TemporaryFile())
            _join([document.file for document in group], file, fills_sheets=True)
            groups.append(file)
        _join(groups, out, fills_sheets=False)


def _join(files: Sequence[Any], out: BinaryIO, *, fills_sheets: bool) -> None:
    import pikepdf

    with ExitStack() as stack, pikepdf.new() as joined:
        for file in files:
            content = stack.enter_context(file.open("rb")) if hasattr(file, "storage") else file
            content.seek(0)
            source = stack.enter_context(pikepdf.open(content))
            for page in source.pages:
                joined.pages.append(page)
            if fills_sheets and len(joined.pages) % 2:
                joined.add_blank_page(page_size=A4_PT)
        joined.save(out, static_id=True)


def write_archive(documents: Iterable[Document], out: BinaryIO) -> None:
    """Write a ZIP with each document as a separate file, named by its id, which names no patient."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for document in documents:
            with document.file.open("rb") as content, archive.open(f"{document.pk}.{document.extension}", "w") as entry:
                shutil.copyfileobj(content, entry)

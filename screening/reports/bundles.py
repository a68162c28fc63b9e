"""Files of many letters: one PDF for a folding machine, and an archive of separate files.

Both are written to files of the disk: the memory does not grow with the number of letters.
"""

import shutil
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

from screening.models import Document
from screening.reports.joined_pdf import JoinedPdf

A4_PT = (595.28, 841.89)


def write_folded_pdf(documents: Iterable[Document], out: BinaryIO) -> None:
    """Write all pages into one PDF, each letter from the front of a sheet: an odd number of pages gets an empty one.

    Printed on both sides, so no sheet has two letters. The tags for screen readers are in the separate files only.
    """
    joined = JoinedPdf(out)
    for document in documents:
        with document.file.open("rb") as content:
            n_pages = joined.add(content)
        if n_pages % 2:
            joined.add_blank_page(A4_PT)
    joined.close()


def write_archive(documents: Iterable[Document], out: BinaryIO) -> None:
    """Write a ZIP with each document as a separate file, named by its id, which names no patient."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for document in documents:
            with document.file.open("rb") as content, archive.open(f"{document.pk}.{document.extension}", "w") as entry:
                shutil.copyfileobj(content, entry)

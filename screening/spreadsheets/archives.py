"""Checks of an XLSX file, which is a ZIP archive of XML files, before openpyxl opens it.

openpyxl uses defusedxml if it is installed, and refuses entities itself in most parts. It keeps each row, and all of
the other parts, in memory as objects, so their elements are counted here.
"""

import zipfile
import zlib
from typing import IO, Any
from xml.parsers import expat

from screening.spreadsheets.refusals import FileProblem, FileRefused

MAX_MEMBERS = 1000
MAX_TOTAL_BYTES = 512 * 1024 * 1024
"""Of all parts when they are unpacked. 100,000 rows of 12 cells have about 60 MB."""
MAX_SHARED_BYTES = 64 * 1024 * 1024
"""Of the shared texts, which are kept in memory while the rows are read."""
MAX_OTHER_BYTES = 16 * 1024 * 1024
"""Of a part that is neither a sheet nor the shared texts, such as the styles, and of one row of a sheet."""
MAX_SHEET_ELEMENTS = 10_000_000
"""100,000 rows of 30 cells with two elements each."""
MAX_ROW_ELEMENTS = 100_000
"""Of one row: more than Excel can write, 16,384 cells. Also of a sheet outside its rows."""
MAX_SHARED_ELEMENTS = 3_000_000
MAX_OTHER_ELEMENTS = 100_000
MAX_RATIO = 200
"""Unpacked by packed bytes. XML of a table has about 10 to 20; of the same character alone about 1000."""
MIN_RATIO_BYTES = 1024 * 1024
"""Smaller parts are not compared: little XML packs well."""
_WORKBOOK, _SHARED, _SHEETS = "xl/workbook.xml", "xl/sharedstrings.xml", "xl/worksheets/sheet"
_CHUNK_BYTES = 64 * 1024


def check_archive(file: IO[bytes]) -> None:
    """Check the directory of the archive, and the XML of each part. Raises FileRefused.

    NB: the sizes in the directory may be wrong; ``zipfile`` reads no more bytes of a part than they state.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members)
            for member in members:
                _MemberCheck(member.filename).check(archive, member)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error) as error:
        raise FileRefused(FileProblem.NO_WORKBOOK) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_TOTAL_BYTES:
        raise FileRefused(FileProblem.BOMB)
    names = [member.filename.lower() for member in members]
    if _WORKBOOK not in names or len(set(names)) < len(names):
        raise FileRefused(FileProblem.NO_WORKBOOK)
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in name for name in names):
        raise FileRefused(FileProblem.MACROS)
    for member in members:
        _check_member(member)


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise FileRefused(FileProblem.OLD_WORKBOOK)
    name = member.filename.lower()
    limit = MAX_TOTAL_BYTES if name.startswith(_SHEETS) else MAX_SHARED_BYTES if name == _SHARED else MAX_OTHER_BYTES
    is_dense = member.file_size > MIN_RATIO_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1)
    if member.file_size > limit or is_dense:
        raise FileRefused(FileProblem.BOMB)


class _MemberCheck:
    """The check of one part: no document type, and no more elements than a spreadsheet program writes.

    A part that is no XML has none: openpyxl finds parts by the table of contents and not by their names.
    """

    def __init__(self, name: str) -> None:
        name = name.lower()
        self.is_sheet, self.is_xml = name.startswith(_SHEETS), name.endswith((".xml", ".rels"))
        self.max_elements = MAX_SHARED_ELEMENTS if name == _SHARED else MAX_OTHER_ELEMENTS
        if self.is_sheet:
            self.max_elements = MAX_SHEET_ELEMENTS
        self.n_elements = self.n_in_row = self.n_in_rows = self.row_bytes = 0
        self.is_in_row = False

    def check(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        """Read the part once. Raises FileRefused."""
        parser = expat.ParserCreate()
        # A document type alone can define entities, and no spreadsheet program writes one.
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end if self.is_sheet else None
        with archive.open(member) as file:
            try:
                while chunk := file.read(_CHUNK_BYTES):
                    self.row_bytes += len(chunk)
                    parser.Parse(chunk)
                    self._require_small()
                parser.Parse(b"", True)  # noqa: FBT003
            except expat.ExpatError as error:
                if self.is_xml:
                    raise FileRefused(FileProblem.NO_WORKBOOK) from error

    def _refuse_doctype(self, *_facts: Any) -> None:
        raise FileRefused(FileProblem.ENTITIES)

    def _start(self, name: str, _attributes: Any) -> None:
        self.n_elements += 1
        if name[-3:] == "row" and self.is_sheet:
            self._require_small()
            self.is_in_row, self.n_in_row, self.row_bytes = True, 0, 0
        elif self.is_in_row:
            self.n_in_row += 1

    def _end(self, name: str) -> None:
        if name[-3:] == "row":
            self._require_small()
            self.is_in_row, self.row_bytes = False, 0
            self.n_in_rows += self.n_in_row + 1
            self.n_in_row = 0

    def _require_small(self) -> None:
        """Raises FileRefused. It is called after each chunk, which has some thousand elements, and at each row."""
        n_outside = self.n_elements - self.n_in_rows - self.n_in_row
        is_large = self.n_elements > self.max_elements
        if self.is_sheet:
            is_large |= max(self.n_in_row, n_outside) > MAX_ROW_ELEMENTS or self.row_bytes > MAX_OTHER_BYTES
        if is_large:
            raise FileRefused(FileProblem.BOMB)

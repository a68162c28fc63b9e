"""A PDF of the pages of many files, written while they are read: its memory does not grow with their number.

pikepdf (qpdf) reads the files. It cannot write so: it keeps each object of the joined file, about 120 kB a letter.
Syntax: ISO 32000-1:2008, 7.3 (objects), 7.5 (structure of a file), 7.7.3 (tree of pages).
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pikepdf

_HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_TREE, _CATALOG = 1, 2
_NOT_COPIED = {"/Parent", "/StructParents", "/Tabs"}
"""Of a page: its place in the tree and among the tags for screen readers, which are not copied."""


class JoinedPdf:
    """Pages are added, then ``close`` completes the file. Equal streams, such as a logo, are written once."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._offsets = [0, 0, 0]
        self._pages: list[int] = []
        self._streams: dict[bytes, int] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._waiting: list[pikepdf.Object] = []
        out.write(_HEAD)

    def add(self, file: Any) -> int:
        """Add the pages of a PDF that WeasyPrint made; how many. NB: each page has its own size and resources."""
        import pikepdf

        self._numbers = {}
        with pikepdf.open(file) as source:
            pages = [self._number(page.obj) for page in source.pages]
            while self._waiting:
                one = self._waiting.pop()
                self._write(self._numbers[one.objgen], self._content(one))
        self._pages += pages
        return len(pages)

    def add_blank_page(self, size_pt: tuple[float, float]) -> None:
        """Add an empty page of this width and height."""
        number = self._new_number()
        box = b"%.2f %.2f" % size_pt
        self._write(number, b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %b] /Resources << >> >>" % (_TREE, box))
        self._pages.append(number)

    def close(self) -> None:
        """Write the tree of pages and the table of objects."""
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        self._write(_TREE, b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(self._pages), kids))
        self._write(_CATALOG, b"<< /Type /Catalog /Pages %d 0 R >>" % _TREE)
        start, n_objects = self._out.tell(), len(self._offsets)
        self._out.write(b"xref\n0 %d\n0000000000 65535 f \n" % n_objects)
        for offset in self._offsets[1:]:
            self._out.write(b"%010d 00000 n \n" % offset)
        self._out.write(b"trailer\n<< /Size %d /Root %d 0 R >>\n" % (n_objects, _CATALOG))
        self._out.write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _new_number(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write(self, number: int, content: bytes) -> None:
        self._offsets[number] = self._out.tell()
        self._out.write(b"%d 0 obj\n%b\nendobj\n" % (number, content))

    def _number(self, one: "pikepdf.Object") -> int:
        """The number of an object in the joined file. A stream is written at once, others after the present one."""
        import pikepdf

        known = self._numbers.get(one.objgen)
        if known is not None:
            return known
        if isinstance(one, pikepdf.Stream):
            content = self._content(one)
            digest = hashlib.sha256(content).digest()
            number = self._streams.get(digest)
            if number is None:
                number = self._streams[digest] = self._new_number()
                self._write(number, content)
        else:
            number = self._new_number()
            self._waiting.append(one)
        self._numbers[one.objgen] = number
        return number

    def _content(self, one: "pikepdf.Object") -> bytes:
        """An object that is referred to, as the text of a file."""
        import pikepdf

        if isinstance(one, pikepdf.Stream):
            data = one.read_raw_bytes()
            values = {**dict(one.items()), "/Length": len(data)}
            return b"%b\nstream\n%b\nendstream" % (self._dictionary(values), data)
        if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == pikepdf.Name.Page:
            values = {name: value for name, value in one.items() if name not in _NOT_COPIED}
            return self._dictionary(values, first=b"/Parent %d 0 R" % _TREE)
        return self._text(one)

    def _dictionary(self, values: Mapping[str, Any], *, first: bytes = b"") -> bytes:
        import pikepdf

        pairs = [b"%b %b" % (pikepdf.Name(name).unparse(), self._value(value)) for name, value in values.items()]
        return b"<< %b >>" % b" ".join([first, *pairs])

    def _value(self, value: Any) -> bytes:
        """A value in an object: itself, or the reference to it. pikepdf turns numbers into those of Python."""
        import pikepdf

        if isinstance(value, pikepdf.Object):
            return b"%d 0 R" % self._number(value) if value.is_indirect else self._text(value)
        if value is None:
            return b"null"
        if isinstance(value, bool):
            return b"true" if value else b"false"
        return format(value, "f" if isinstance(value, Decimal) else "d").encode()

    def _text(self, one: "pikepdf.Object") -> bytes:
        import pikepdf

        if isinstance(one, pikepdf.Dictionary):
            return self._dictionary(dict(one.items()))
        if isinstance(one, pikepdf.Array):
            return b"[%b]" % b" ".join(self._value(value) for value in one)
        return one.unparse()

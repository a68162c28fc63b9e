"""Encodings of text files that spreadsheets and editors write."""

import codecs

#: Byte order marks. That of UTF-32, little endian, begins as that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """Text in UTF-8, UTF-16 or UTF-32 with or without a byte order mark, else in Windows-1252.

    Raises UnicodeDecodeError at the first byte that is in none of them.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding)
    if b"\0" in data[:200]:  # UTF-16 without its mark: the high bytes of Latin letters are zero
        return data.decode("utf-16-le" if data[1:200:2].count(0) > data[0:200:2].count(0) else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252")

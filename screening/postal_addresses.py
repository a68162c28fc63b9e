"""Postal addresses: lines as they are printed, in the order and form of any country."""

import unicodedata

MAX_ADDRESS_LINES = 6
"""Of the address zone of a letter (DIN 5008)."""
MAX_ADDRESS_LINE_CHARS = 80
MAX_ADDRESS_CHARS = MAX_ADDRESS_LINES * (MAX_ADDRESS_LINE_CHARS + 2)


class InvalidAddress(ValueError):
    """An address has too many lines, a line is too long, or it has characters that cannot be printed."""

    def __init__(self, n_lines: int = 0, *, is_unprintable: bool = False) -> None:
        super().__init__("address")
        self.n_lines = n_lines
        self.is_unprintable = is_unprintable


def clean_address(text: str) -> str:
    """The lines without blanks around them and without empty ones. Raises InvalidAddress."""
    lines = [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]
    if len(lines) > MAX_ADDRESS_LINES:
        raise InvalidAddress(len(lines))
    if any(len(line) > MAX_ADDRESS_LINE_CHARS for line in lines):
        raise InvalidAddress
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cn"} for line in lines for char in line):
        raise InvalidAddress(is_unprintable=True)
    return "\n".join(lines)

"""Why a file as a whole cannot be read. ``labels.imports`` has the texts."""

from enum import StrEnum


class FileProblem(StrEnum):
    """What is wrong with a file."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    OLD_WORKBOOK = "old_workbook"
    """The format of Excel before 2007, or a workbook with a password: both are the same container."""
    NO_WORKBOOK = "no_workbook"
    """An archive that is no XLSX file, or a damaged one."""
    MACROS = "macros"
    BOMB = "bomb"
    """It becomes too large when it is unpacked, or has too many parts."""
    ENTITIES = "entities"
    """XML that defines entities."""
    NO_SHEET = "no_sheet"
    """Every sheet is hidden."""
    ENCODING = "encoding"
    MIXED_ENCODINGS = "mixed_encodings"
    UNREADABLE_LINE = "unreadable_line"
    NO_ROWS = "no_rows"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_EMPTY_ROWS = "too_many_empty_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    UNKNOWN_COLUMNS = "unknown_columns"
    REPEATED_COLUMN = "repeated_column"
    MISSING_COLUMNS = "missing_columns"
    FILE_LOST = "file_lost"
    """The stored file is not there any more."""
    NO_RESULT = "no_result"
    """Workers began it several times and ended without a result, for example without memory."""


class FileRefused(ValueError):
    """The file as a whole cannot be imported. ``values`` are for its text; nothing of a patient is among them."""

    def __init__(self, problem: FileProblem, **values: str | int) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.values = values

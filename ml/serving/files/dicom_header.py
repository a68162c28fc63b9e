"""What the header of a DICOM file states about the person and the photograph."""

import datetime
import unicodedata
from dataclasses import dataclass

from ml.vocabulary import Laterality

MAX_TEXT_CHARS = 200
"""A name has up to 64 characters in each of three groups (PS3.5, 6.2), an identifier 64."""

MAX_UID_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomHeader:
    """Facts of the header; empty or None if the file does not have them.

    ``patient_name`` has all its groups (PS3.5, 6.2.1). ``birth_date`` is YYYY-MM-DD, YYYY-MM or YYYY. ``laterality`` is
    None also if the file names both eyes, or two different ones. ``field`` is ``macula`` or ``disc``, ``pupil``
    ``dilated`` or ``undilated``. The UIDs are those of the study and of the image in an archive (PS3.5, 9).
    """

    patient_id: str = ""
    patient_name: str = ""
    birth_date: str = ""
    laterality: Laterality | None = None
    field: str = ""
    pupil: str = ""
    captured_on: datetime.date | None = None
    camera: str = ""
    study_uid: str = ""
    instance_uid: str = ""

    @property
    def name_groups(self) -> list[tuple[str, str]]:
        """Family name, and given and middle names, as written in each script: alphabetic, ideographic, phonetic."""
        groups = [group.split("^") for group in self.patient_name.split("=")]
        names = [(group[0], " ".join(group[1:3]).strip()) for group in groups]
        return [pair for pair in names if any(pair)]


NO_HEADER = DicomHeader()


def printable_text(text: str) -> str:
    """The text on one line, without invisible characters, of MAX_TEXT_CHARS at most."""
    kept = "".join(char if char.isprintable() else _blank_or_nothing(char) for char in text)
    return " ".join(kept.split())[:MAX_TEXT_CHARS]


def _blank_or_nothing(char: str) -> str:
    """Nothing for a joiner inside a Persian or Hindi word, a blank for a control character."""
    return "" if unicodedata.category(char) == "Cf" else " "

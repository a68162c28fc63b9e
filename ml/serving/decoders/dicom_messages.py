"""The header of a DICOM file in a message of a decoder."""

from dataclasses import asdict
from typing import Any

from ml.serving.decoders.messages import BrokenMessage, date, text
from ml.serving.files.dicom_header import MAX_TEXT_CHARS, MAX_UID_CHARS, DicomHeader
from ml.vocabulary import Laterality


def dicom_facts(header: DicomHeader) -> dict[str, str]:
    """The facts as texts, for JSON."""
    facts = {name: str(value or "") for name, value in asdict(header).items()}
    return facts | {"laterality": header.laterality.value if header.laterality else ""}


def dicom_header(message: dict[str, Any]) -> DicomHeader | None:
    """The facts of a message; None if the file was no DICOM file. Raises BrokenMessage."""
    facts = message.get("dicom")
    if facts is None:
        return None
    if not isinstance(facts, dict):
        raise BrokenMessage
    eye = text(facts, "laterality", most=2)
    if eye not in {"", *Laterality}:
        raise BrokenMessage
    limits = {"patient_id": MAX_TEXT_CHARS, "patient_name": MAX_TEXT_CHARS, "birth_date": 10}
    limits |= {
        "study_uid": MAX_UID_CHARS,
        "instance_uid": MAX_UID_CHARS,
        "field": 10,
        "pupil": 10,
        "camera": 2 * MAX_TEXT_CHARS + 1,
    }
    texts = {name: text(facts, name, most=limit) for name, limit in limits.items()}
    return DicomHeader(**texts, captured_on=date(facts, "captured_on"), laterality=Laterality(eye) if eye else None)

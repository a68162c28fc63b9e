"""ImagingStudy: the photographs of an exam, a series for each eye."""

import uuid
from collections.abc import Sequence

from ml.vocabulary import Laterality
from screening.fhir.codes import OPHTHALMIC_PHOTOGRAPHY, OWN, PHOTOGRAPHY_8_BIT, Json
from screening.labels.eyes import EYE_LABELS
from screening.models import Exam, FundusImage
from screening.selectors.exam_results import ExamResult


def study_resource(result: ExamResult) -> Json:
    """The exam with its photographs in use.

    UIDs of photographs that came as DICOM files are those of the files, under which an archive has the originals; the
    others follow from our random ids (DICOM PS3.5, B.2).
    """
    exam, images = result.exam, result.images
    by_eye = {eye: [image for image in images if image.laterality == eye] for eye in Laterality}
    series = [_series(exam, eye, taken, number) for number, (eye, taken) in enumerate(by_eye.items(), 1) if taken]
    return {
        "resourceType": "ImagingStudy",
        "id": str(exam.pk),
        "identifier": [
            {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}
            for uid in dict.fromkeys([_uid(exam.pk), *(image.study_uid for image in images if image.study_uid)])
        ],
        "status": _status(exam, images),
        "modality": [OPHTHALMIC_PHOTOGRAPHY],
        "subject": {"reference": f"Patient/{exam.patient_id}"},
        "started": result.photographed_on.isoformat(),
        "numberOfSeries": len(series),
        "numberOfInstances": len(images),
        **({"series": series} if series else {}),
    }


def _status(exam: Exam, images: Sequence[FundusImage]) -> str:
    if exam.status == Exam.Status.CANCELLED:
        return "cancelled"
    return "available" if images else "registered"


def _series(exam: Exam, eye: Laterality, images: Sequence[FundusImage], number: int) -> Json:
    return {
        "uid": _uid(uuid.uuid5(exam.pk, eye.value)),
        "number": number,
        "modality": OPHTHALMIC_PHOTOGRAPHY,
        "numberOfInstances": len(images),
        "laterality": {"system": OWN, "code": eye.value, "display": str(EYE_LABELS[eye])},
        "instance": [
            {
                "uid": image.instance_uid or _uid(image.pk),
                "sopClass": {"system": "urn:ietf:rfc:3986", "code": PHOTOGRAPHY_8_BIT},
                "number": position,
                "title": str(image.get_field_display()),
            }
            for position, image in enumerate(images, 1)
        ],
    }


def _uid(random_id: uuid.UUID) -> str:
    return f"2.25.{random_id.int}"

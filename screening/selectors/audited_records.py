"""What audit events are about: the patient and the exam of each, and all records of a patient."""

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from screening.access import restrict
from screening.models import (
    AuditEvent,
    Booking,
    Document,
    Exam,
    FirstReading,
    FundusImage,
    Grading,
    Patient,
    PhotoUpload,
    Reading,
    ReadingDraft,
    Referral,
    Repeat,
    Review,
    User,
    VisualAcuity,
)

_EXAM_PATHS: dict[Any, str] = {
    Exam: "pk",
    FundusImage: "exam",
    Grading: "image__exam",
    Review: "exam",
    FirstReading: "exam",
    Reading: "exam",
    ReadingDraft: "exam",
    Repeat: "exam",
    Referral: "exam",
    PhotoUpload: "exam",
    VisualAcuity: "exam",
}
_PATIENT_PATHS: dict[Any, str] = {
    Patient: "pk",
    Booking: "patient",
    Document: "patient",
    Exam: "patient",
    **{model: f"{path}__patient" for model, path in _EXAM_PATHS.items() if model is not Exam},
}
_MODELS_OF_TYPE: dict[str, tuple[Any, ...]] = {model._meta.model_name: (model,) for model in _PATIENT_PATHS}
"""By the type of the object of an event."""
_MODELS_OF_DATA: dict[str, tuple[Any, ...]] = {
    "record": tuple(_PATIENT_PATHS),
    "exam": (Exam,),
    "to_exam": (Exam,),
    "patient": (Patient,),
}
"""By the name of an id in the data of an event. A ``record`` is of any model."""


@dataclass(frozen=True, slots=True)
class AuditedRecord:
    """Patient and exam of an event; None if it is about none, or ``user`` does not see who the patient is."""

    patient: Patient | None
    exam: Exam | None


def ids_about_patient(patient: Patient) -> dict[str, list[str]]:
    """Ids of a patient's records of each type of object, with the records that were merged into this one."""
    of_person = Patient.objects.filter(Q(pk=patient.pk) | Q(merged_into=patient)).order_by().values("pk")
    found = {}
    for model, path in _PATIENT_PATHS.items():
        rows = model.objects.filter(**{f"{path}__in": of_person}).order_by().values_list("pk", flat=True)
        found[model._meta.model_name] = [str(pk) for pk in rows]
    return found


def records_of_events(events: Collection[AuditEvent], *, user: User) -> list[AuditedRecord]:
    """Patient and exam of each event, in its order; four queries for any number of events."""
    ids = _ids_by_model(events)
    exam_of = _pairs(_EXAM_PATHS, ids)
    patient_of = _pairs({model: _PATIENT_PATHS[model] for model in (Patient, Booking, Document)}, ids)
    rows = restrict(Exam.objects.select_related("patient"), user)
    exams = {exam.pk: exam for exam in rows.filter(pk__in=set(exam_of.values()))}
    people = restrict(Patient.objects.all(), user).in_bulk(set(patient_of.values()))
    found = []
    for event in events:
        keys = [pk for _models, pk in _ids(event)]
        exam = next((exams.get(exam_of[key]) for key in keys if key in exam_of), None)
        patient = next((people.get(patient_of[key]) for key in keys if key in patient_of), None)
        found.append(AuditedRecord(patient or (exam.patient if exam else None), exam))
    return found


def exam_ids_of_events(events: Iterable[AuditEvent]) -> set[uuid.UUID]:
    """All exams that events are about, also those from and to which a record was moved. NB: of all sites; for tasks."""
    return set(_pairs(_EXAM_PATHS, _ids_by_model(events)).values())


def _pairs(paths: dict[Any, str], ids: dict[Any, set[uuid.UUID]]) -> dict[uuid.UUID, uuid.UUID]:
    """The record to which a path leads, for each of the ids of a model; at most one query."""
    rows = [
        model.objects.filter(pk__in=ids[model]).order_by().values_list("pk", F(path) if path != "pk" else F("id"))
        for model, path in paths.items()
        if model in ids
    ]
    return dict(rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]) if rows else {}


def _ids_by_model(events: Iterable[AuditEvent]) -> dict[Any, set[uuid.UUID]]:
    """All ids that events have of records, by the models of which they can be."""
    found: dict[Any, set[uuid.UUID]] = {}
    for event in events:
        for models, pk in _ids(event):
            for model in models:
                found.setdefault(model, set()).add(pk)
    return found


def _ids(event: AuditEvent) -> Iterator[tuple[tuple[Any, ...], uuid.UUID]]:
    """Ids that an event has of records, the nearest first, with the models of which each can be."""
    of_data = ((_MODELS_OF_DATA[name], event.data.get(name)) for name in _MODELS_OF_DATA)
    for models, text in ((_MODELS_OF_TYPE.get(event.object_type, ()), event.object_id), *of_data):
        try:
            yield models, uuid.UUID(str(text))
        except ValueError:
            continue

"""The history of corrections is read with one query."""

from collections.abc import Callable
from typing import Any

from screening.models import Site, User
from screening.selectors import corrections_of_patient
from screening.services.corrections import move_exam
from tests.screening.factories import ExamFactory, PatientFactory


def test_a_history_of_corrections_takes_one_query(
    site: Site, manager: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    patient, other = PatientFactory.create_batch(2, site=site)
    exam = ExamFactory(patient=patient)
    for _round in range(3):
        for target in (other, patient):
            move_exam(exam=exam, to_patient=target, reason="Wrong name on the list", by=manager)
    with django_assert_max_num_queries(1):
        texts = [
            f"{row.from_patient and row.from_patient.mrn} {row.exam} {row.made_by}"
            for row in corrections_of_patient(other)
        ]
    assert len(texts) == 6

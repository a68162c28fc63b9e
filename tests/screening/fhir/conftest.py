"""A signed exam of both eyes, and clients."""

import pytest

from screening.models import Exam, Site, User
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.fhir.client import FhirClient


@pytest.fixture
def client(photographer: User) -> FhirClient:
    return FhirClient(photographer)


@pytest.fixture
def exam(site: Site) -> Exam:
    """Handed over and graded: 3 in the right eye, 1 in the left."""
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye, grade in (("OD", 3), ("OS", 1)):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True, grade=grade)
    return exam

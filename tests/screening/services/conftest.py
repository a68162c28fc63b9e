"""Fixtures of the services' tests: an open exam, a photograph, a grading that waits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from screening.models import Exam, FundusImage, Grading, Site
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


@pytest.fixture
def image(exam: Exam) -> FundusImage:
    return FundusImageFactory(exam=exam)


@pytest.fixture
def queued(image: FundusImage) -> Grading:
    return GradingFactory(image=image)


def age(grading: Grading, **times: int) -> None:
    """Move times of the row so many seconds into the past."""
    for name, seconds in times.items():
        setattr(grading, name, timezone.now() - timedelta(seconds=seconds))
    grading.save()

"""What audit events are about."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from screening.models import AuditEvent, Exam, Site, User
from screening.selectors.audited_records import exam_ids_of_events, records_of_events
from tests.screening.factories import BookingFactory, ExamFactory, GradingFactory, ReferralFactory, ReviewFactory


@pytest.fixture
def exam(site: Site) -> Exam:
    found: Exam = ExamFactory(patient__site=site)
    return found


def event(subject: Any, **data: str) -> AuditEvent:
    return AuditEvent(object_type=subject._meta.model_name, object_id=str(subject.pk), data=data)


def test_each_event_has_the_exam_and_the_patient_of_its_records(site: Site, exam: Exam, manager: User) -> None:
    grading, review = GradingFactory(image__exam=exam), ReviewFactory(exam=exam)
    records = [exam, grading, grading.image, review, ReferralFactory(exam=exam, review=review)]
    events = [event(one) for one in records]
    events += [event(site, record=str(review.pk)), event(site, exam=str(exam.pk))]
    found = records_of_events(events, user=manager)
    assert {(one.exam, one.patient) for one in found} == {(exam, exam.patient)}
    assert exam_ids_of_events(events) == {exam.pk}
    of_person = [
        event(exam.patient),
        event(BookingFactory(patient=exam.patient)),
        event(site, patient=str(exam.patient_id)),
    ]
    assert {(one.exam, one.patient) for one in records_of_events(of_person, user=manager)} == {(None, exam.patient)}
    assert exam_ids_of_events([event(site, to_exam=str(exam.pk))]) == {exam.pk}
    assert exam_ids_of_events([event(site)]) == set()


def test_only_the_tables_of_the_types_of_objects_are_read(exam: Exam, manager: User) -> None:
    events = [event(exam), event(ReviewFactory(exam=exam))]
    with CaptureQueriesContext(connection) as queries:
        records_of_events(events, user=manager)
    statements = " ".join(one["sql"] for one in queries)
    tables = {
        name: f'FROM "screening_{name}"' in statements for name in ("exam", "review", "referral", "grading", "booking")
    }
    assert tables == {"exam": True, "review": True, "referral": False, "grading": False, "booking": False}

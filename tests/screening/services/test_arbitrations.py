"""Decisions of a senior reviewer between two readers."""

from typing import Any

import pytest

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Membership, Reading, Review, Site, User
from screening.selectors.readings import arbitrations_without_arbiter, may_arbitrate
from screening.services.arbitrations import arbitrate
from screening.services.readings import sign_findings
from screening.services.reviews import AlreadyReviewed, ReviewError, record_first_readings
from tests.screening.factories import MembershipFactory
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam


@pytest.fixture
def disputed(site: Site, reviewer: User, manager: User) -> Exam:
    """The first reader found grade 3 in the right eye, the second nothing."""
    use_protocol(site)
    exam = waiting_exam(site)
    sign_findings(exam=exam, findings=found(3, 0), note="Bleeding", by=reviewer)
    sign(exam, reader_of(site))
    exam.refresh_from_db()
    assert exam.status == "arbitration"
    return exam


@pytest.fixture
def senior(site: Site) -> User:
    return reader_of(site, "senior_reviewer")


def test_a_reading_is_taken_over_as_the_result(disputed: Exam, senior: User, reviewer: User) -> None:
    first = Reading.objects.get(stage="first")
    review = arbitrate(exam=disputed, taken_over=first, reason=" Clear bleeding ", by=senior)
    disputed.refresh_from_db()
    assert (disputed.status, review.reviewer, review.outcome) == ("signed", senior, "refer_urgent")
    assert {one.laterality: one.grade for one in review.findings.all()} == {"OD": 3, "OS": 0}
    decision = Reading.objects.get(stage="arbitration")
    assert (decision.reader, decision.reason, decision.taken_over) == (senior, "Clear bleeding", first)
    assert AuditEvent.objects.filter(verb="exam.arbitrated", actor=senior).count() == 1
    with pytest.raises(AlreadyReviewed):
        arbitrate(exam=disputed, taken_over=first, reason="Clear bleeding", by=senior)


def test_own_findings_are_the_result(disputed: Exam, senior: User) -> None:
    review = arbitrate(exam=disputed, findings=found(1, 0), reason="Microaneurysms alone", note="Mild", by=senior)
    assert {one.laterality: one.grade for one in review.findings.all()} == {"OD": 1, "OS": 0}
    assert (review.note, Reading.objects.get(stage="arbitration").taken_over) == ("Mild", None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reason": " "}, "Enter the reason"),
        ({"reason": "x" * 301}, "300"),
        ({}, "Choose one of the readings"),
        ({"findings": {Laterality.RIGHT: found()[Laterality.RIGHT]}}, "Choose a grade"),
    ],
)
def test_a_decision_needs_a_reason_and_one_choice(
    disputed: Exam, senior: User, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ReviewError, match=message):
        arbitrate(**{"exam": disputed, "reason": "Looked twice", "by": senior, **values})
    assert not Review.objects.exists()


def test_no_one_decides_who_read_the_exam_or_is_not_senior(disputed: Exam, site: Site, reviewer: User) -> None:
    first = Reading.objects.get(stage="first")
    with pytest.raises(AccessDenied):
        arbitrate(exam=disputed, taken_over=first, reason="Mine", by=reviewer)
    assert set(arbitrations_without_arbiter()) == {disputed}
    for person in Reading.objects.values_list("reader", flat=True):
        MembershipFactory(site=site, user=User.objects.get(pk=person), role=Membership.Role.SENIOR_REVIEWER)
    assert set(arbitrations_without_arbiter()) == {disputed}, "both have read it"
    assert not may_arbitrate(user=reviewer, exam=disputed)
    with pytest.raises(ReviewError, match="You have read this exam yourself"):
        arbitrate(exam=disputed, taken_over=first, reason="Mine", by=reviewer)
    senior = reader_of(site, "senior_reviewer")
    assert not arbitrations_without_arbiter().exists()
    assert may_arbitrate(user=senior, exam=disputed)


def test_a_senior_who_began_to_read_does_not_decide(site: Site, reviewer: User) -> None:
    use_protocol(site)
    exam, senior = waiting_exam(site), reader_of(site, "senior_reviewer")
    record_first_readings(exam=exam, findings=found(), by=senior)
    sign_findings(exam=exam, findings=found(3, 0), by=reviewer)
    sign(exam, reader_of(site))
    exam.refresh_from_db()
    assert (exam.status, may_arbitrate(user=senior, exam=exam)) == ("arbitration", False)
    with pytest.raises(ReviewError, match="You have read this exam yourself"):
        arbitrate(exam=exam, findings=found(), reason="Mine", by=senior)


def test_a_reading_of_another_exam_or_scale_is_not_taken_over(disputed: Exam, site: Site, senior: User) -> None:
    other = waiting_exam(site)
    foreign = sign_findings(exam=other, findings=found(), by=reader_of(site))
    assert isinstance(foreign, Reading)
    with pytest.raises(ReviewError, match="not one of the exam as it is now"):
        arbitrate(exam=disputed, taken_over=foreign, reason="Mistake", by=senior)
    with pytest.raises(ReviewError, match="does not wait for a decision"):
        arbitrate(exam=other, taken_over=foreign, reason="Mistake", by=senior)
    Site.objects.update(scale="england")
    with pytest.raises(ReviewError, match="another scale"):
        arbitrate(exam=disputed, taken_over=Reading.objects.get(exam=disputed, stage="first"), reason="Yes", by=senior)

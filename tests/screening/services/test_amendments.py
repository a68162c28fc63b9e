"""Amendments at sites that read exams twice: who may make a result weaker."""

import pytest

from screening.models import Review, Site, User
from screening.services.readings import sign_findings
from screening.services.reviews import ReviewError, sign_review
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam


def test_a_result_of_one_reader_is_amended_by_the_protocol_in_force(site: Site, reviewer: User) -> None:
    exam = waiting_exam(site)
    review = sign(exam, reviewer, found(2, 0))
    assert isinstance(review, Review)
    use_protocol(site, "double_positives")
    with pytest.raises(ReviewError, match="Ask a senior reviewer"):
        sign_review(exam=exam, findings=found(), amends=review, amend_reason="Dust", by=reader_of(site))


@pytest.mark.parametrize("is_switched_off", [False, True])
def test_a_senior_reviewer_alone_makes_a_result_of_two_readers_weaker(
    site: Site, reviewer: User, is_switched_off: bool
) -> None:
    use_protocol(site)
    exam, second = waiting_exam(site), reader_of(site)
    sign_findings(exam=exam, findings=found(2, 0), by=reviewer)
    review = sign(exam, second, found(2, 0))
    assert isinstance(review, Review)
    if is_switched_off:
        use_protocol(site, "single")
    for weaker in (found(1, 0), found(0, 0)):
        with pytest.raises(ReviewError, match="Ask a senior reviewer"):
            sign_review(exam=exam, findings=weaker, amends=review, amend_reason="Dust", by=reviewer)
    stronger = sign_review(exam=exam, findings=found(4, 0), amends=review, amend_reason="New vessels", by=reviewer)
    senior = reader_of(site, "senior_reviewer")
    negative = sign_review(exam=exam, findings=found(), amends=stronger, amend_reason="Dust", by=senior)
    assert negative.outcome == "rescreen"
    assert sign_review(exam=exam, findings=found(2, 0), amends=negative, amend_reason="Exudates", by=reviewer)


def test_one_reviewer_amends_a_result_of_a_site_with_one_reader(site: Site, reviewer: User) -> None:
    exam = waiting_exam(site)
    review = sign(exam, reviewer, found(2, 0))
    assert isinstance(review, Review)
    colleague = reader_of(site, "reviewer")
    assert sign_review(exam=exam, findings=found(), amends=review, amend_reason="Dust", by=colleague)

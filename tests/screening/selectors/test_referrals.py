"""Which referrals a user can see."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import ReadingDraft, Site, User
from screening.policy import MacularOedema
from screening.request_facts import RequestFacts, facts_of_request
from screening.selectors.referrals import count_late_referrals, referrals_for
from screening.services.corrections import mark_in_error
from screening.services.reviews import Finding, sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory, MembershipFactory, ReferralFactory, ReviewFactory


def test_a_reader_who_has_yet_to_read_the_exam_sees_no_referral_of_it(
    site: Site, reviewer: User, manager: User, photographer: User
) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    findings = {
        eye: Finding(laterality=eye, grade=ICDRGrade.MODERATE, macular_oedema=MacularOedema.NONE) for eye in Laterality
    }
    review = sign_review(exam=exam, findings=findings, by=reviewer)
    mark_in_error(review=review, reason="Wrong patient", by=manager)  # it waits for a reader again
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert not referrals_for(reviewer).exists()
    assert referrals_for(photographer).count() == 1


def test_the_menu_counts_late_referrals_without_those_that_are_hidden(
    site: Site, photographer: User, django_assert_num_queries: Any
) -> None:
    exams = [ReviewFactory(exam__patient__site=site).exam for _ in range(2)]
    for exam in exams:
        ReferralFactory(exam=exam, review=exam.reviews.get(), due_on=timezone.localdate() - timedelta(days=9))
    with facts_of_request(RequestFacts(only_reads=True)), django_assert_num_queries(3):  # roles, drafts, count
        assert count_late_referrals(photographer) == 2
    ReadingDraft.objects.create(reviewer=photographer, exam=exams[0], reading_round=0, updated_at=timezone.now())
    for only_reads in (False, True):
        with facts_of_request(RequestFacts(only_reads=only_reads)):
            assert count_late_referrals(photographer) == 1
    MembershipFactory(user=photographer, site=site, role="reviewer")
    with facts_of_request(RequestFacts(only_reads=True)):
        assert count_late_referrals(photographer) == 1

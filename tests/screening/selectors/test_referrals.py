"""Which referrals a user can see."""

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Site, User
from screening.policy import MacularOedema
from screening.selectors.referrals import referrals_for
from screening.services.corrections import mark_in_error
from screening.services.reviews import Finding, sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory


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

"""A site's own threshold judges what is graded from then on, by the model that it was made for."""

import dataclasses
import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from ml.bundle import RocTable, SourceRoc
from ml.site_threshold import SiteThreshold as FittedThreshold
from ml.site_threshold import tempered_probabilities
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, SiteThreshold, User
from screening.selectors.thresholds import threshold_in_use, unused_thresholds
from screening.services.gradings import queue_grading, run_grading
from screening.services.thresholds import ThresholdRefused, chosen_threshold, fitted_threshold, use_threshold
from tests.builders import FakeGrader
from tests.screening.factories import ExamFactory, FundusImageFactory, MembershipFactory, UserFactory

Origin = SiteThreshold.Origin
INTERVAL = (0.85, 0.8, 0.9)
POINTS = (0.05, 0.31, 0.9)


@pytest.fixture
def grader(fake_grader: FakeGrader) -> FakeGrader:
    """The grader of a bundle with a ROC table."""
    values = ((1.0, 1.0, 1.0), (0.9, 0.8, 1.0), (0.5, 0.4, 0.6))
    source = SourceRoc(n_referable=30, n_not_referable=60, sensitivity=values, specificity=values[::-1])
    roc = RocTable(thresholds=POINTS, sources={"messidor2": source})
    fake_grader.bundle = dataclasses.replace(fake_grader.bundle, roc=roc)
    return fake_grader


@pytest.fixture
def image(site: Site) -> FundusImage:
    return FundusImageFactory(exam=ExamFactory(patient__site=site))


@pytest.fixture
def manager(site: Site) -> User:
    return MembershipFactory(site=site, role="manager").user


def file_of(grader: FakeGrader, **changes: Any) -> bytes:
    values = {
        "model_version": grader.bundle.model_version,
        "weights_sha256": grader.bundle.weights_sha256,
        "temperature": 2.0,
        "operating_point": 0.95,
        "target_sensitivity": 0.85,
        "n": 120,
        "n_referable": 40,
        "fitted_on": datetime.date(2026, 11, 1),
        "sensitivity": INTERVAL,
        "specificity": INTERVAL,
        "auc": INTERVAL,
        "calibration_error": (0.1, 0.05),
    }
    return FittedThreshold(**values | changes).to_json().encode()  # type: ignore[arg-type]  # values of several types


def graded(image: FundusImage) -> Grading:
    grading = queue_grading(image=image, by=None)
    run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert grading.status == Grading.Status.DONE
    return grading


def test_a_fitted_threshold_judges_new_gradings(
    grader: FakeGrader, image: FundusImage, site: Site, manager: User
) -> None:
    before = graded(image)
    assert before.probabilities
    use_threshold(fitted_threshold(site, file_of(grader)), by=manager)
    after = graded(FundusImageFactory(exam=ExamFactory(patient__site=site)))
    expected = tempered_probabilities(tuple(before.probabilities), 2.0)
    assert after.probabilities == pytest.approx(expected)
    assert after.p_referable == pytest.approx(sum(expected[2:]))
    assert (after.operating_point, after.is_referable, after.grade) == (0.95, False, before.grade)
    assert (before.is_referable, before.threshold_origin, before.threshold_text) == (True, Origin.MODEL, "")
    assert after.threshold_origin == Origin.FITTED
    assert "on 120 of its photographs it flagged 85 % of the referable" in after.threshold_text
    before.refresh_from_db()
    assert (before.threshold, before.is_referable) == (None, True)


def test_a_threshold_of_the_table_changes_no_probability(
    grader: FakeGrader, image: FundusImage, site: Site, manager: User
) -> None:
    use_threshold(chosen_threshold(site, 0.9), by=manager)
    grading = graded(image)
    assert (grading.operating_point, grading.threshold_origin) == (0.9, Origin.TABLE)
    assert grading.p_referable == grader.prediction.p_referable
    assert "chosen its threshold from the table" in grading.threshold_text


def test_the_newest_counts_and_the_models_own_can_come_back(grader: FakeGrader, site: Site, manager: User) -> None:
    version = grader.bundle.model_version
    use_threshold(chosen_threshold(site, 0.9), by=manager)
    use_threshold(chosen_threshold(site, 0.05), by=manager)
    in_use = threshold_in_use(site, version)
    assert in_use is not None
    assert in_use.operating_point == 0.05
    use_threshold(chosen_threshold(site, None), by=manager)
    assert threshold_in_use(site, version) is None
    assert SiteThreshold.objects.count() == 3


def test_other_sites_and_other_versions_are_not_judged_by_it(
    grader: FakeGrader, image: FundusImage, site: Site, manager: User
) -> None:
    use_threshold(fitted_threshold(site, file_of(grader)), by=manager)
    elsewhere = graded(FundusImageFactory(exam=ExamFactory()))
    assert elsewhere.threshold is None
    grader.bundle = dataclasses.replace(grader.bundle, model_version="fake-2.0.0+00000000")
    grader.prediction = dataclasses.replace(grader.prediction, model_version=grader.bundle.model_version)
    assert graded(image).threshold is None
    assert [row.site for row in unused_thresholds({site.served_model: grader.bundle.model_version})] == [site]


def test_a_file_of_another_bundle_or_kind_is_refused(grader: FakeGrader, site: Site) -> None:
    with pytest.raises(ThresholdRefused, match="Fit it again"):
        fitted_threshold(site, file_of(grader, weights_sha256="1" * 64))
    with pytest.raises(ThresholdRefused, match="not a threshold file"):
        fitted_threshold(site, b"{}")
    with pytest.raises(ThresholdRefused, match="at most"):
        fitted_threshold(site, b" " * 10**6)
    with pytest.raises(ThresholdRefused, match="not in the table"):
        chosen_threshold(site, 0.123)


def test_it_is_audited_and_for_managers_of_the_site(grader: FakeGrader, site: Site, manager: User) -> None:
    threshold = chosen_threshold(site, 0.9)
    for other in (MembershipFactory(site=site, role="reviewer").user, MembershipFactory(role="manager").user):
        with pytest.raises(AccessDenied):
            use_threshold(threshold, by=other)
    use_threshold(threshold, by=manager)
    use_threshold(chosen_threshold(site, None), by=UserFactory(is_superuser=True))
    events = AuditEvent.objects.filter(verb=AuditEvent.Verb.THRESHOLD_CHANGED).order_by("id")
    assert [event.data["operating_point"] for event in events] == [0.9, grader.bundle.operating_point]
    assert {event.site for event in events} == {site}


def test_the_database_refuses_values_out_of_range(grader: FakeGrader, site: Site, manager: User) -> None:
    with pytest.raises((ValidationError, IntegrityError)):
        use_threshold(SiteThreshold(site=site, model_version="x", origin="table", operating_point=1.5), by=manager)
    row = SiteThreshold(site=site, model_version="x", origin="table", operating_point=1.5, created_by=manager)
    with pytest.raises(IntegrityError):
        row.save()


def test_a_signed_review_keeps_its_result(exam: Exam, grader: FakeGrader, manager: User) -> None:
    image = FundusImageFactory(exam=exam)
    grading = graded(image)
    use_threshold(chosen_threshold(exam.site, 0.9), by=manager)
    again = graded(image)
    assert again.pk == grading.pk
    assert again.is_referable is True

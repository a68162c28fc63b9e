"""The operating point of a site: metrics on signed exams and in validation, and the choice."""

import dataclasses
import uuid

import pytest
from django.test import Client

from ml.bundle import RocTable, SourceRoc
from ml.site_threshold import tempered_probabilities
from screening.models import AuditEvent, Grading, Site, SiteThreshold, User
from screening.policy import operating_points
from screening.selectors.signed_eyes import scored_exams, signed_eyes
from tests.builders import FAKE_VERSION, FakeGrader
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    ReviewFactory,
    SiteThresholdFactory,
)
from tests.screening.views.pages import count_queries, page_text, url

PROBABILITIES = {0: (0.9, 0.05, 0.03, 0.01, 0.01), 2: (0.2, 0.2, 0.4, 0.1, 0.1)}


@pytest.fixture
def grader(fake_grader: FakeGrader) -> FakeGrader:
    values = ((1.0, 1.0, 1.0), (0.9, 0.8, 1.0), (0.5, 0.4, 0.6))
    source = SourceRoc(n_referable=30, n_not_referable=60, sensitivity=values, specificity=values[::-1])
    roc = RocTable(thresholds=(0.05, 0.5, 0.9), sources={"messidor2": source})
    fake_grader.bundle = dataclasses.replace(fake_grader.bundle, roc=roc)
    return fake_grader


def signed_exam(site: Site, *, signed: int | None, graded: int, **values: object) -> Grading:
    """An exam whose right eye is signed and graded by the fake model; its left eye is absent."""
    exam = ExamFactory(patient__site=site, left_eye_absent_reason="prosthesis")
    EyeFindingFactory(review=ReviewFactory(exam=exam), grade=signed, is_gradable=signed is not None)
    p = PROBABILITIES[graded]
    values = {"probabilities": list(p), "p_referable": sum(p[2:]), "model_version": FAKE_VERSION, **values}
    return GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, **values)


def test_an_exam_is_scored_by_its_worse_photograph_without_the_temperature_of_a_threshold(site: Site) -> None:
    first = signed_exam(site, signed=2, graded=0)
    threshold = SiteThresholdFactory(site=site, temperature=2.0)
    tempered = tempered_probabilities(PROBABILITIES[2], 2.0)
    GradingFactory(
        image=FundusImageFactory(exam=first.image.exam),
        is_done=True,
        probabilities=list(tempered),
        threshold=threshold,
        model_version=FAKE_VERSION,
    )
    signed_exam(site, signed=0, graded=0)
    signed_exam(site, signed=0, graded=2, model_version="other-1.0.0+11111111")
    signed_exam(site, signed=None, graded=2)  # ungradable: neither with nor without
    signed_exam(ExamFactory().site, signed=2, graded=2)
    cases = sorted((case.is_referable, round(case.p_referable, 6)) for case in scored_exams(site, FAKE_VERSION))
    assert cases == [(False, 0.05), (True, 0.6)]
    assert len(signed_eyes(site)) >= 4


def test_the_page_has_the_metrics_of_the_site_once_there_are_enough(
    as_manager: Client, site: Site, grader: FakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_exam(site, signed=2, graded=2)
    text = page_text(as_manager, "site-operating-point", site.pk)
    assert "the newest 5000 count" in text
    assert "need 20 signed exams" in text
    assert "of 100 photographs with referable retinopathy about 90 (74 to 97) are flagged" in text
    monkeypatch.setattr(operating_points, "MIN_CASES", 1)
    signed_exam(site, signed=0, graded=0)
    response = as_manager.get(url("site-operating-point", site.pk))
    rows = response.context["rows"]
    assert [(row.code, row.is_in_use, row.is_chosen) for row in rows] == [
        ("0.05", False, False), ("own", True, True), ("0.9", False, False),
    ]  # fmt: skip
    assert [row.of_site[0][:3] for row in rows] == ["100", "100", "0 ("]
    assert [row.of_site[1][:3] for row in rows] == ["100", "0 (", "0 ("]
    assert response.context["area"] == 1.0
    assert count_queries(as_manager, "site-operating-point", site.pk) <= 15
    assert "0.5000 (The model" in page_text(as_manager, "site", site.pk).replace("&#x27;", "'")


def test_a_choice_is_stored_with_who_and_why_and_the_later_manager_sees_the_conflict(
    as_manager: Client, manager: User, site: Site, grader: FakeGrader
) -> None:
    page = url("site-operating-point", site.pk)
    assert as_manager.post(page, {"point": "0.05", "reason": " "}).status_code == 422
    assert as_manager.post(page, {"point": "0.1", "reason": "more"}).status_code == 422
    response = as_manager.post(page, {"point": "own", "reason": "more"})
    assert "operating point in use" in response.content.decode()
    for _ in range(2):  # sent twice, stored once
        assert as_manager.post(page, {"point": "0.05", "reason": "find more"}).status_code == 302
    row = SiteThreshold.objects.get()
    assert (row.operating_point, row.reason, row.created_by) == (0.05, "find more", manager)
    other = Client()
    other.force_login(MembershipFactory(site=site, role="manager").user)
    for base in ("", str(uuid.uuid4())):
        late = other.post(page, {"point": "0.9", "reason": "fewer", "base": base})
        assert late.status_code == 422
        assert "Another version was stored meanwhile" in late.content.decode()
        assert 'value="fewer"' in late.content.decode()
    assert other.post(page, {"point": "own", "reason": "back", "base": str(row.pk)}).status_code == 302
    assert "find more" in page_text(other, "site-operating-point", site.pk)
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.THRESHOLD_CHANGED).count() == 2


def test_without_validation_nothing_can_be_chosen(as_manager: Client, site: Site) -> None:
    assert "states no validation" in page_text(as_manager, "site-operating-point", site.pk)
    response = as_manager.post(url("site-operating-point", site.pk), {"point": "own", "reason": "x"})
    assert "states no validation" in response.content.decode()
    assert not SiteThreshold.objects.exists()

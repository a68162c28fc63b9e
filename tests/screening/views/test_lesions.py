"""Lesions, visual acuity and grading scales on the review page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import Exam, FirstReading, Review, Site, User
from screening.policy import GradingScale
from screening.policy.lesions import ICDR_RULES
from screening.views.lesion_rules import rules_for_page
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import text_of

HEALTHY = {
    f"{eye}-{name}": value for eye in ("OD", "OS") for name, value in (("verdict", "0"), ("macular_oedema", "none"))
}
HEALTHY_IN_ENGLAND = {name: {"0": "R0", "none": "M0"}[value] for name, value in HEALTHY.items()}


@pytest.fixture
def exam(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    return exam


@pytest.fixture
def reader(reviewer: User) -> Client:
    client = Client()
    client.force_login(reviewer)
    return client


def post(reader: Client, name: str, exam: Exam, **changes: Any) -> Any:
    return reader.post(reverse(f"screening:{name}", args=[exam.pk]), HEALTHY | changes)


def test_lesions_and_acuity_are_signed_and_shown(reader: Client, exam: Exam) -> None:
    lesions = {
        "OD-lesion_irma_quadrants": "1",
        "OD-lesion_other_disease": ["0", "1"],
        "OD-other_disease": "Macroaneurysm",
    }
    response = post(reader, "exam-sign", exam, **{"OD-verdict": "3", "OD-acuity": "6/9"}, **lesions)
    assert response.status_code == 302, text_of(response)
    found = Review.objects.get().findings.get(laterality="OD")
    assert found.lesions == {"irma_quadrants": 1, "other_disease": 1}
    page = text_of(reader.get(reverse("screening:exam-review", args=[exam.pk])))
    assert "Quadrants with prominent IRMA: 1" in page
    assert "Macroaneurysm" in page


def test_a_contradiction_is_named_at_its_eye_and_signed_with_a_reason(reader: Client, exam: Exam) -> None:
    lesions = {"OS-lesion_new_vessels_disc": "1"}
    refused = post(reader, "exam-sign", exam, **lesions)
    assert refused.status_code == 422
    assert "not the one that follows from the lesions. Enter the reason" in text_of(refused)
    assert 'data-lesion="new_vessels_disc" checked' in " ".join(refused.content.decode().split())
    assert post(reader, "exam-sign", exam, **lesions, **{"OS-contradiction_reason": "Collaterals"}).status_code == 302


def test_a_draft_keeps_ticked_and_unticked_lesions(reader: Client, exam: Exam) -> None:
    values = {"OD-lesion_fibrosis": ["0", "1"], "OS-lesion_fibrosis": ["0"], "OS-acuity": "CF", "page_version": ""}
    assert post(reader, "exam-draft", exam, **values).status_code == 200
    page = " ".join(reader.get(reverse("screening:exam-review", args=[exam.pk])).content.decode().split())
    assert page.count('data-lesion="fibrosis" checked') == 1
    assert 'value="CF"' in page


def test_a_site_in_england_reads_and_signs_in_its_scale(reader: Client, exam: Exam) -> None:
    Site.objects.update(scale="england", reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = text_of(reader.get(reverse("screening:exam-review", args=[exam.pk])))
    assert "R2L" in page
    assert "Not centre" not in page
    values = HEALTHY_IN_ENGLAND | {"OD-verdict": "R1", "OD-lesion_haemorrhages": "1"}
    assert post(reader, "exam-first-reading", exam, **values).status_code == 302
    assert FirstReading.objects.get(laterality="OD").retinopathy == "R1"
    preview = text_of(post(reader, "exam-preview", exam, **values))
    assert "Screen again" in preview
    assert post(reader, "exam-sign", exam, **values).status_code == 302
    shown = " ".join(text_of(reader.get(reverse("screening:exam-review", args=[exam.pk]))).split())
    assert "R1 M0" in shown
    assert "(ICDR 2)" in shown


def test_a_page_of_another_scale_is_not_signed(reader: Client, exam: Exam) -> None:
    page = reader.get(reverse("screening:exam-review", args=[exam.pk]))
    version = page.context["panel"].page_version
    Site.objects.update(scale="scotland")
    response = post(reader, "exam-sign", exam, page_version=version)
    assert response.status_code == 422
    assert not Review.objects.exists()


def test_the_page_has_the_rules_of_policy() -> None:
    rules = rules_for_page(GradingScale.ICDR)
    assert [(rule["result"], tuple(map(tuple, rule["needs"]))) for rule in rules["grade"]] == [
        (rule.result, rule.needs) for rule in ICDR_RULES
    ]
    assert rules_for_page(GradingScale.SCOTLAND)["macula"][0]["result"] == "M2"

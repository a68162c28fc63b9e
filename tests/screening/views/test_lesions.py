"""Lesions, visual acuity and grading scales on the review page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import Exam, FirstReading, ReadingDraft, Review, Site, User
from screening.policy import GradingScale
from screening.policy.lesions import ICDR_RULES
from screening.views.lesion_rules import rules_for_page
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import text_of

HEALTHY = {
    f"{eye}-{name}": value for eye in ("OD", "OS") for name, value in (("verdict", "0"), ("macular_oedema", "none"))
}
READING_MODES = {
    "exam-sign": Site.ReadingMode.SIDE_BY_SIDE,
    "exam-first-reading": Site.ReadingMode.BLIND_FIRST,
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
    values = HEALTHY_IN_ENGLAND | {"OD-verdict": "R1", "OD-lesion_haemorrhages": "1", "OD-lesion_laser_scars": "1"}
    assert post(reader, "exam-first-reading", exam, **values).status_code == 302
    assert FirstReading.objects.get(laterality="OD").retinopathy == "R1"
    preview = text_of(post(reader, "exam-preview", exam, **values))
    assert "Screen again" in preview
    for text in ("Right eye: <strong>R1 M0 P1", "Left eye: <strong>R0 M0 P0"):
        assert text in " ".join(preview.split())
    assert post(reader, "exam-sign", exam, **values).status_code == 302
    shown = " ".join(text_of(reader.get(reverse("screening:exam-review", args=[exam.pk]))).split())
    assert "R1 M0 P1" in shown
    assert "R0 M0 P0" in shown
    assert "(ICDR 2)" in shown


@pytest.mark.parametrize("step", ["exam-sign", "exam-first-reading"])
@pytest.mark.parametrize("scales", [("icdr", "scotland"), ("england", "icdr"), ("scotland", "england")])
def test_a_scale_that_changes_while_an_exam_is_read_loses_nothing(
    scales: tuple[str, str], step: str, reader: Client, exam: Exam
) -> None:
    before, after = scales
    Site.objects.update(scale=before, reading_mode=READING_MODES[step])
    address = reverse("screening:exam-review", args=[exam.pk])
    version = reader.get(address).context["panel"].page_version
    Site.objects.update(scale=after)
    values = HEALTHY if before == "icdr" else HEALTHY_IN_ENGLAND
    entered = {"OS-lesion_amd": ["0", "1"], "OD-acuity": "6/9", "note": "Drusen", "page_version": version}
    response = reader.post(reverse(f"screening:{step}", args=[exam.pk]), values | entered)
    assert (response.status_code, response.headers["Location"]) == (302, address)
    assert not Review.objects.exists()
    assert not FirstReading.objects.exists()
    page = reader.get(address)
    text = " ".join(page.content.decode().split())
    assert "The grading scale of this site changed after you entered it: choose a grade of the new scale" in text
    assert "Photographs of this exam changed" not in text
    assert 'data-lesion="amd" checked' in text
    assert 'value="6/9"' in text
    draft = ReadingDraft.objects.get()
    assert (draft.entries["note"], draft.entries["OD-verdict"]) == ("Drusen", values["OD-verdict"])
    for form in page.context["panel"].forms.values():
        assert form["verdict"].value() is None
    again = entered | {"page_version": page.context["panel"].page_version}
    form = HEALTHY if after == "icdr" else HEALTHY_IN_ENGLAND
    reader.post(reverse(f"screening:{step}", args=[exam.pk]), form | again)
    assert Review.objects.count() + FirstReading.objects.count() == (1 if step == "exam-sign" else 2)


def test_a_save_of_a_draft_states_that_the_scale_changed(reader: Client, exam: Exam) -> None:
    version = reader.get(reverse("screening:exam-review", args=[exam.pk])).context["panel"].page_version
    Site.objects.update(scale="england")
    answer = post(reader, "exam-draft", exam, page_version=version).json()
    assert answer["code"] == "scale_changed"
    assert "The grading scale of this site changed while you were reading" in answer["notice"]


def test_the_page_has_the_rules_of_policy() -> None:
    rules = rules_for_page(GradingScale.ICDR)
    assert [(rule["result"], tuple(map(tuple, rule["needs"]))) for rule in rules["grade"]] == [
        (rule.result, rule.needs) for rule in ICDR_RULES
    ]
    assert rules_for_page(GradingScale.SCOTLAND)["macula"][0]["result"] == "M2"

"""Facts of a visit on the page of the exam."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from screening.models import Exam, Patient, Site, VisitFacts, VisualAcuity
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory
from tests.screening.views.pages import form_data, page_text, text_of, url


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site))
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def save(client: Client, exam: Exam, **entries: Any) -> Any:
    return client.post(url("exam-facts", exam.pk), {"hba1c_unit": "percent", **entries}, follow=True)


def test_facts_are_saved_and_shown(exam: Exam, as_photographer: Client) -> None:
    entries = {"hba1c": "7.2", "is_pregnant": "yes", "right_eye_treatments": ["laser", "surgery"]}
    text = text_of(save(as_photographer, exam, **entries, left_eye_treatments=["none"], consent="given"))
    for shown in (
        "The facts of the visit are saved.",
        "7.2 % (55 mmol/mol)",
        "Laser, Surgery",
        "No treatment",
        "Given",
    ):
        assert shown in text
    facts = VisitFacts.objects.get()
    found = (facts.right_eye_treatments, facts.left_eye_treatments, facts.is_pregnant)
    assert found == (["laser", "surgery"], [], True)


def test_an_error_loses_no_entry(exam: Exam, as_photographer: Client) -> None:
    response = save(as_photographer, exam, hba1c="48", treatment="insulin")
    text = text_of(response)
    assert response.status_code == 422
    assert "An HbA1c of 48 % is not possible. Choose mmol/mol." in text
    assert 'value="48"' in text
    assert "The unusual HbA1c is right" not in text
    assert '<option value="insulin" selected>' in text
    text = text_of(save(as_photographer, exam, right_eye_treatments=["none", "laser"]))
    assert "“None” excludes the others." in text
    assert not VisitFacts.objects.exists()


def test_facts_that_another_person_recorded_meanwhile_stay(exam: Exam, as_photographer: Client) -> None:
    page = as_photographer.get(url("exam-detail", exam.pk))
    assert 'name="base"' in text_of(page)
    opened = form_data(page.context["facts_form"])
    save(as_photographer, exam, **opened | {"hba1c": "8.1", "consent": "refused", "right_eye_treatments": ["none"]})
    save(as_photographer, exam, **opened | {"OD_acuity": "6/12"})
    save(as_photographer, exam, **opened | {"treatment": "insulin"})
    facts = VisitFacts.objects.get()
    assert (facts.hba1c, facts.consent, facts.treatment) == (Decimal("8.1"), "refused", "insulin")
    refused = save(as_photographer, exam, **opened | {"hba1c": "6.1", "right_eye_treatments": ["laser"]})
    for shown in ("It is now: 8.1.", "It is now: None.", 'value="6.1"', '<option value="insulin" selected>'):
        assert shown in text_of(refused)
    save(as_photographer, exam, **form_data(refused.context["facts_form"]))
    facts.refresh_from_db()
    assert (facts.hba1c, facts.right_eye_treatments, facts.consent) == (Decimal("6.1"), ["laser"], "refused")


def test_facts_of_an_exam_that_is_closed_are_refused_in_words(exam: Exam, as_photographer: Client) -> None:
    as_photographer.post(url("exam-cancel", exam.pk))
    assert "This exam is closed." in text_of(save(as_photographer, exam, hba1c="7.2"))
    assert not VisitFacts.objects.exists()


def test_the_address_of_a_refused_form_leads_to_its_page(exam: Exam, as_photographer: Client) -> None:
    assert as_photographer.get(url("exam-facts", exam.pk)).headers["Location"] == url("exam-detail", exam.pk)
    assert as_photographer.put(url("exam-facts", exam.pk)).status_code == 405


def test_an_unusual_value_is_confirmed(exam: Exam, as_photographer: Client) -> None:
    assert "The unusual HbA1c is right" in text_of(save(as_photographer, exam, hba1c="16"))
    save(as_photographer, exam, hba1c="16", confirm="on")
    assert VisitFacts.objects.get().hba1c == 16


def test_the_checklist_names_what_the_site_requires(exam: Exam, as_photographer: Client) -> None:
    Site.objects.update(required_facts=["hba1c", "consent"])
    text = page_text(as_photographer, "exam-detail", exam.pk)
    assert "Visit: HbA1c" in text
    assert "Submit without what is missing" in text
    save(as_photographer, exam, consent="refused")
    assert "The patient refused consent: cancel this exam." in page_text(as_photographer, "exam-detail", exam.pk)
    submitted = as_photographer.post(url("exam-submit", exam.pk), {"confirm": "facts_missing"}, follow=True)
    assert "The patient refused consent, so the exam cannot be submitted." in text_of(submitted)


def test_pregnancy_is_not_a_question_to_men(exam: Exam, as_photographer: Client) -> None:
    assert "Pregnant" in page_text(as_photographer, "exam-detail", exam.pk)
    Patient.objects.update(sex=Patient.Sex.MALE)
    assert "Pregnant" not in page_text(as_photographer, "exam-detail", exam.pk)


def test_a_reader_sees_the_facts_and_no_form(exam: Exam, as_reviewer: Client) -> None:
    VisitFacts.objects.create(exam=exam, treatment="insulin", recorded_by=exam.opened_by)
    text = page_text(as_reviewer, "exam-detail", exam.pk)
    assert "Insulin, alone or with others" in text
    assert url("exam-facts", exam.pk) not in text


def test_the_reader_sees_them_while_reading(exam: Exam, as_reviewer: Client) -> None:
    now = exam.created_at
    Exam.objects.update(status="submitted", submitted_at=now, due_at=now, left_eye_unobtainable="cataract")
    VisitFacts.objects.create(exam=exam, is_pregnant=True, consent="given", recorded_by=exam.opened_by)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "not obtainable: Cataract or another opacity" in text
    assert "Pregnant" in text


def test_acuity_is_recorded_and_a_wrong_one_loses_nothing(exam: Exam, as_photographer: Client) -> None:
    Site.objects.update(required_facts=["acuity"])
    text = text_of(save(as_photographer, exam, OD_acuity="6/12", OS_acuity="13", treatment="diet"))
    assert "Write the visual acuity as 6/12" in text
    assert 'value="6/12"' in text
    assert not VisualAcuity.objects.exists()
    assert not VisitFacts.objects.exists()
    assert "Visit: visual acuity of each eye" in text
    text = text_of(save(as_photographer, exam, OD_acuity="6/12", OD_correction="glasses", OS_acuity="logMAR 0.2"))
    assert "Visit: visual acuity of each eye" not in text
    acuities = VisualAcuity.objects.order_by("laterality").values_list("laterality", "logmar", "correction")
    assert [(eye, float(logmar), correction) for eye, logmar, correction in acuities] == [
        ("OD", 0.3, "glasses"),
        ("OS", 0.2, ""),
    ]


@pytest.mark.parametrize(("language", "written"), [("en", "7,2"), ("en", "7.2"), ("de", "7,2"), ("de", "7.2")])
def test_a_decimal_comma_is_read_in_every_language(
    as_photographer: Client, exam: Exam, language: str, written: str
) -> None:
    with translation.override(language):
        save(as_photographer, exam, hba1c=written)
    assert VisitFacts.objects.get().hba1c == Decimal("7.2")

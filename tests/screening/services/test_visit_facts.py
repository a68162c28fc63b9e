"""Facts of a visit: values, units, and those that a site requires."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from screening.access import AccessDenied
from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.models import AuditEvent, Exam, Patient, Site, User, VisitFacts
from screening.selectors.visit_facts import missing_facts, visit_facts_of
from screening.services.exams import ConsentRefused, ExamNotOpen, FactsMissing, submit_exam
from screening.services.visit_facts import HBA1C_UNUSUAL, InvalidFact, UnusualHbA1c, record_visit_facts
from screening.templatetags.visit_facts import visit_facts_rows
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site))
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def record(exam: Exam, by: User, *confirmed: str, **facts: Any) -> VisitFacts:
    return record_visit_facts(exam=exam, facts=facts, confirmed=confirmed, by=by)


def test_facts_are_recorded_and_the_others_stay(exam: Exam, photographer: User) -> None:
    record(exam, photographer, hba1c=Decimal("7.2"), hba1c_unit="percent", hba1c_on=datetime.date(2026, 1, 2))
    record(exam, photographer, treatment="insulin", is_pregnant=False, right_eye_treatments=["laser"], consent="given")
    facts = record(exam, photographer, left_eye_treatments=[])
    assert facts.hba1c_mmol_mol == Decimal("55.2")
    assert visit_facts_rows(facts) == [
        ("HbA1c", "7.2 % (55 mmol/mol), 2 Jan 2026"),
        ("Treatment", "Insulin, alone or with others"),
        ("Pregnant", "No"),
        ("Right eye before", "Laser"),
        ("Left eye before", "No treatment"),
        ("Consent", "Given"),
    ]
    assert VisitFacts.objects.count() == 1
    events = AuditEvent.objects.filter(verb="exam.facts_recorded").order_by("id")
    assert [event.data for event in events][-1] == {"fields": "left_eye_treatments"}
    assert record(exam, photographer, hba1c=None).hba1c_unit == ""


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"hba1c": Decimal(48), "hba1c_unit": "percent"}, "hba1c", "48 % is not possible. Choose mmol/mol."),
        ({"hba1c": Decimal(7), "hba1c_unit": "mmol_mol"}, "hba1c", "7 mmol/mol is not possible. Choose %."),
        ({"hba1c": Decimal(900), "hba1c_unit": "percent"}, "hba1c", "Check the value."),
        ({"hba1c": Decimal(7), "hba1c_on": datetime.date(2090, 1, 1)}, "hba1c_on", "in the future"),
        ({"hba1c_on": datetime.date(2026, 1, 2)}, "hba1c", "measured on this day"),
        ({"treatment": "prayer"}, "treatment", "one of the treatments"),
        ({"consent": "maybe"}, "consent", "given or refused"),
        ({"left_eye_treatments": ["glasses"]}, "left_eye_treatments", "laser, injections and surgery"),
    ],
)
def test_a_fact_that_cannot_be_true_is_refused(
    facts: dict[str, Any], field: str, message: str, exam: Exam, photographer: User
) -> None:
    with pytest.raises(InvalidFact) as caught:
        record(exam, photographer, HBA1C_UNUSUAL, **facts)
    assert message in str(caught.value)
    assert caught.value.field == field
    assert visit_facts_of(exam) is None


def test_an_unusual_value_is_confirmed(exam: Exam, photographer: User) -> None:
    unusual = {"hba1c": Decimal("16.5"), "hba1c_unit": "percent"}
    with pytest.raises(UnusualHbA1c):
        record(exam, photographer, **unusual)
    assert record(exam, photographer, HBA1C_UNUSUAL, **unusual).hba1c == Decimal("16.5")


def test_readers_and_closed_exams_are_refused(exam: Exam, photographer: User, reviewer: User) -> None:
    with pytest.raises(AccessDenied):
        record(exam, reviewer, treatment="diet")
    Exam.objects.update(status=Exam.Status.CANCELLED)
    with pytest.raises(ExamNotOpen):
        record(exam, photographer, treatment="diet")


def test_what_the_site_requires_is_confirmed(exam: Exam, photographer: User) -> None:
    Site.objects.update(required_facts=list(REQUIRABLE_FACTS))
    exam.site.refresh_from_db()
    assert missing_facts(exam, None) == list(REQUIRABLE_FACTS)
    with pytest.raises(FactsMissing, match="visual acuity of each eye, HbA1c, diabetes type and since when"):
        submit_exam(exam=exam, by=photographer)
    facts = record(exam, photographer, treatment="diet", right_eye_treatments=[], consent="given")
    Patient.objects.update(diabetes_since_year=2001, sex=Patient.Sex.MALE)
    exam.patient.refresh_from_db()
    exam.left_eye_absent_reason = "Prosthesis"
    assert missing_facts(exam, facts) == ["acuity", "hba1c"]
    submit_exam(exam=exam, confirmed=["facts_missing"], by=photographer)
    assert AuditEvent.objects.get(verb="exam.submitted").data == {"facts_missing": 3}


def test_without_consent_an_exam_is_not_submitted(exam: Exam, photographer: User) -> None:
    record(exam, photographer, consent="refused")
    with pytest.raises(ConsentRefused):
        submit_exam(exam=exam, confirmed=["facts_missing", "fields_missing"], by=photographer)

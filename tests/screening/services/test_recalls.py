"""Due dates are stored with the patient, and follow each change of a result or of the register."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.labels.referrals import Treatment
from screening.models import Patient, Review, Site, User
from screening.policy import MacularOedema, add_months
from screening.policy.recall import ContactChannel, ContactKind, ContactResult, RecallState
from screening.policy.register import RegisterReason, RegisterStatus
from screening.selectors import due_on, get_patient
from screening.selectors.due_list import count_states
from screening.services.contacts import record_contact
from screening.services.corrections import mark_in_error
from screening.services.merges import merge_patients, unmerge_patients
from screening.services.recalls import update_recall, update_recalls
from screening.services.referrals import record_feedback, record_step
from screening.services.register import change_register_status
from tests.screening.factories import ExamFactory, PatientFactory, ReferralFactory, ReviewFactory


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def due(patient: Patient) -> tuple[datetime.date | None, datetime.date | None]:
    patient.refresh_from_db()
    return patient.screened_on, patient.due_on


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


def signed(patient: Patient, recall_on: datetime.date | None) -> Review:
    exam = ExamFactory(patient=patient, is_submitted=True, status="signed")
    return ReviewFactory(exam=exam, recall_on=recall_on)


def test_a_new_person_is_due_at_once(patient: Patient) -> None:
    assert due(patient) == (None, day(0))
    assert patient.next_step == "invite"
    update_recall(patient.pk)
    assert due(patient) == (None, day(0))


def test_the_recall_date_of_the_last_result_counts(patient: Patient) -> None:
    signed(patient, day(365))
    update_recall(patient.pk)
    assert due(patient) == (day(0), day(365))
    assert patient.next_step_on == day(365 - 42)
    signed(patient, None)
    update_recall(patient.pk)
    assert due(patient) == (day(0), None)
    assert not patient.next_step
    assert patient.next_step_on is None


@pytest.mark.parametrize("state", ["result_back", "declined"])
def test_a_closed_referral_for_slit_lamp_examination_leaves_a_due_date(
    patient: Patient, photographer: User, state: str
) -> None:
    review = signed(patient, None)
    referral = ReferralFactory(
        exam=review.exam, review=review, outcome="refer_slit_lamp", made_on=day(-9), state="sent"
    )
    update_recall(patient.pk)
    assert due(patient) == (day(0), None)
    if state == "declined":
        values: dict[str, Any] = {"to": "declined", "happened_on": day(0), "note": "By telephone"}
        record_step(referral=referral, from_state="sent", **values, by=photographer)
        assert due(patient) == (day(0), day(0))
        record_step(referral=referral, from_state="declined", **{**values, "to": "made"}, by=photographer)
        assert due(patient) == (day(0), None)
        return
    values = {"from_state": "sent", "examined_on": day(0), "is_confirmed": False, "treatment": Treatment.NONE}
    grades: dict[Laterality, ICDRGrade | None] = {eye: ICDRGrade(1) for eye in Laterality}
    oedema = dict.fromkeys(Laterality, MacularOedema.NONE)
    record_feedback(referral=referral, **values, grades=grades, oedema=oedema, by=photographer)
    assert due(patient) == (day(0), add_months(day(0), 12))
    assert patient.next_step == "invite"
    seen = get_patient(user=photographer, patient_id=patient.pk)
    assert due_on(seen) == add_months(day(0), 12)


def test_a_referred_person_is_not_due_until_the_referral_is_closed(
    patient: Patient, photographer: User, manager: User
) -> None:
    review = signed(patient, day(180))
    referral = ReferralFactory(exam=review.exam, review=review, made_on=day(-9), state="sent")
    update_recall(patient.pk)
    assert due(patient) == (day(0), None)
    assert due_on(get_patient(user=photographer, patient_id=patient.pk)) is None
    values: dict[str, Any] = {"to": "declined", "happened_on": day(0), "note": "By telephone"}
    record_step(referral=referral, from_state="sent", **values, by=photographer)
    assert due(patient) == (day(0), day(180))
    for to, from_state in (("made", "declined"), ("sent", "made")):
        record_step(referral=referral, from_state=from_state, **{**values, "to": to}, by=photographer)
        assert due(patient) == (day(0), None)
    result: dict[str, Any] = {"examined_on": day(0), "is_confirmed": True, "treatment": Treatment.LASER}
    oedema = dict.fromkeys(Laterality, MacularOedema.NONE)
    grades: dict[Laterality, ICDRGrade | None] = dict.fromkeys(Laterality)
    record_feedback(referral=referral, from_state="sent", grades=grades, oedema=oedema, **result, by=photographer)
    assert due(patient) == (day(0), day(180)), "no grade is stated: the recall date of the review"
    grades = dict.fromkeys(Laterality, ICDRGrade(4))
    result |= {"from_state": "result_back", "note": "The letter came later"}
    record_feedback(referral=referral, grades=grades, oedema=oedema, **result, by=photographer)
    assert due(patient) == (day(0), add_months(day(0), 3))
    hospital: dict[str, Any] = {"status": RegisterStatus.SUSPENDED, "reason": RegisterReason.HOSPITAL_EYE_SERVICE}
    change_register_status(patient=patient, **hospital, until_on=day(360), by=manager)
    assert due(patient) == (day(0), day(361)), "discharged"


def test_who_is_lost_is_invited_again_after_a_year(
    patient: Patient, site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_contact(
        patient=patient,
        kind=ContactKind.PHONE_CALL,
        channel=ContactChannel.PHONE,
        result=ContactResult.NOT_REACHED,
        on=day(0),
        by=photographer,
    )
    assert due(patient) == (None, day(0))
    today, again, now = day(0), add_months(day(0), 12), timezone.now()
    states: list[RecallState] = []
    for moment in (day(28), again - datetime.timedelta(days=43), again - datetime.timedelta(days=42)):
        days = moment - today
        monkeypatch.setattr(timezone, "now", lambda days=days: now + days)
        update_recalls(site=site)
        states += [state for state, n in count_states(user=photographer, site=site).items() if n]
    assert states == [RecallState.LOST, RecallState.LOST, RecallState.DUE]
    assert due(patient) == (None, again)
    assert patient.next_step == "invite"
    assert update_recalls(site=site) == 0


def test_a_result_in_error_does_not_count_any_more(patient: Patient, reviewer: User) -> None:
    review = signed(patient, day(365))
    update_recall(patient.pk)
    mark_in_error(review=review, reason="wrong patient", by=reviewer)
    assert due(patient) == (None, day(0))


def test_merged_records_have_the_due_date_of_their_exams(site: Site, patient: Patient, manager: User) -> None:
    signed(patient, day(365))
    other = PatientFactory(site=site)
    merge_patients(patient=patient, into=other, reason="registered twice", by=manager)
    assert due(other) == (day(0), day(365))
    unmerge_patients(patient=patient, reason="two people", by=manager)
    assert due(other) == (None, day(0))
    assert due(patient) == (day(0), day(365))


def test_after_a_suspension_the_person_is_due_at_its_end(patient: Patient, manager: User) -> None:
    change_register_status(
        patient=patient,
        status=RegisterStatus.SUSPENDED,
        reason=RegisterReason.PREGNANCY_PATHWAY,
        until_on=day(90),
        by=manager,
    )
    assert due(patient) == (None, day(91))


def test_all_people_of_a_site_are_computed_and_nothing_changes_the_second_time(site: Site, other_site: Site) -> None:
    for number in range(5):
        signed(PatientFactory(site=site), day(100 + number))
    stranger = PatientFactory(site=other_site)
    signed(stranger, day(50))
    assert update_recalls(site=site) == 5
    assert update_recalls(site=site) == 0
    assert due(stranger) == (None, day(0))

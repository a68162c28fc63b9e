"""Two records of one person: merged, and parted again."""

import datetime

import pytest
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Booking, ContactAttempt, Correction, Exam, Patient, Site, User
from screening.selectors import corrections_of_patient, find_patients, get_patient_history, list_patients
from screening.selectors import search_patients as search
from screening.services.bookings import close_past_bookings
from screening.services.corrections import CorrectionRefused, move_exam
from screening.services.exams import ExamError, open_exam
from screening.services.merges import merge_patients, unmerge_patients
from tests.screening.factories import BookingFactory, ExamFactory, EyeFindingFactory, PatientFactory, ReviewFactory

WHY = "Registered twice"


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site, mrn="OLD-1", family_name="Byron")


@pytest.fixture
def into(site: Site) -> Patient:
    return PatientFactory(site=site, mrn="NEW-2", family_name="Lovelace")


def exams_of(patient: Patient) -> set[Exam]:
    return set(Exam.objects.filter(patient=patient))


def test_each_record_has_what_it_had_after_parting(patient: Patient, into: Patient, manager: User) -> None:
    own, others = ExamFactory(patient=patient), ExamFactory(patient=into)
    signed = ExamFactory(patient=patient, is_submitted=True, status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=signed)
    EyeFindingFactory(review=review)
    merged = merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    assert (merged.merged_into, exams_of(patient), exams_of(into)) == (into, set(), {own, others, signed})
    history = {one.pk: one for one in get_patient_history(user=manager, patient_id=into.pk).exams}
    assert history[signed.pk].current_reviews == [review]  # type: ignore[attr-defined]
    since = ExamFactory(patient=into)
    parted = unmerge_patients(patient=patient, reason="Two people", by=manager)
    assert (parted.merged_into, exams_of(patient), exams_of(into)) == (None, {own, signed}, {others, since})
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    unmerge_patients(patient=patient, reason=WHY, by=manager)
    assert exams_of(patient) == {own, signed}


def test_open_bookings_go_with_the_person_and_come_back(patient: Patient, into: Patient, manager: User) -> None:
    today = timezone.localdate(timezone=patient.site.zone)
    days = [today + datetime.timedelta(days=n) for n in (0, 7, 14)]
    of_today, later, twice = (BookingFactory(patient=patient, day=day) for day in days)
    past = BookingFactory(patient=patient, day=today - datetime.timedelta(days=400), status="attended")
    BookingFactory(patient=into, day=twice.day)

    def owners() -> list[Patient]:
        return [Booking.objects.get(pk=one.pk).patient for one in (of_today, later, twice, past)]

    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    assert owners() == [into, into, patient, patient]
    exam = open_exam(patient=into, by=manager)
    of_today.refresh_from_db()
    assert (of_today.status, of_today.exam) == ("attended", exam)
    unmerge_patients(patient=patient, reason="Two people", by=manager)
    assert owners() == [into, patient, patient, patient]


def test_a_person_who_came_under_the_other_record_has_not_missed_the_appointment(
    patient: Patient, into: Patient, manager: User
) -> None:
    yesterday = timezone.localdate(timezone=patient.site.zone) - datetime.timedelta(days=1)
    bookings = [BookingFactory(patient=one, day=yesterday) for one in (patient, into)]
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    exam = ExamFactory(patient=into)
    Exam.objects.filter(pk=exam.pk).update(created_at=timezone.now() - datetime.timedelta(days=1))
    assert close_past_bookings() == 0
    assert {Booking.objects.get(pk=one.pk).status for one in bookings} == {"attended"}
    assert not ContactAttempt.objects.exists()


def test_a_refusal_of_messages_counts_for_the_other_record(patient: Patient, into: Patient, manager: User) -> None:
    Patient.objects.filter(pk=patient.pk).update(email_consent="no", sms_consent="yes")
    Patient.objects.filter(pk=into.pk).update(email="ada@example.org", email_consent="yes")
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    into.refresh_from_db()
    assert (into.email_consent, into.sms_consent) == ("no", "")


def test_exams_moved_on_purpose_stay_where_they_are(patient: Patient, into: Patient, site: Site, manager: User) -> None:
    third = PatientFactory(site=site)
    before, after, back = (ExamFactory(patient=patient) for _ in range(3))
    move_exam(exam=before, to_patient=into, reason=WHY, by=manager)
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    move_exam(exam=after, to_patient=third, reason=WHY, by=manager)
    move_exam(exam=back, to_patient=third, reason=WHY, by=manager)
    move_exam(exam=back, to_patient=into, reason=WHY, by=manager)
    unmerge_patients(patient=patient, reason=WHY, by=manager)
    assert (exams_of(patient), exams_of(into), exams_of(third)) == (set(), {before, back}, {after})


def test_a_merged_record_leaves_lists_and_its_number_finds_the_other(
    patient: Patient, into: Patient, manager: User, photographer: User
) -> None:
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    assert list(list_patients(user=manager)) == [into]
    for found in (
        find_patients(user=manager, mrn="OLD-1"),
        find_patients(user=manager, mrn="OLD", is_prefix=True),
        search(user=manager, text="OLD-1"),
        search(user=manager, text="byron"),
        search(user=manager, text="lovelace"),
    ):
        assert list(found) == [into]
    with pytest.raises(ExamError, match="merged into another"):
        open_exam(patient=patient, by=photographer)


def test_both_histories_have_the_merge_once(patient: Patient, into: Patient, manager: User) -> None:
    exam = ExamFactory(patient=patient)
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    unmerge_patients(patient=patient, reason="Two people", by=manager)
    for one in (patient, into):
        assert [(row.kind, row.reason) for row in corrections_of_patient(one)] == [
            ("patients_unmerged", "Two people"),
            ("patients_merged", WHY),
        ]
    assert list(exam.corrections.values_list("kind", flat=True)) == ["patients_unmerged", "patients_merged"]
    events = AuditEvent.objects.filter(verb__in=["patient.merged", "patient.unmerged"]).order_by("id")
    assert [event.data for event in events] == [{"other_patient": str(into.pk), "n_exams": 1}] * 2


def test_a_merge_that_is_refused_changes_nothing(
    patient: Patient, into: Patient, site: Site, other_site: Site, manager: User, photographer: User
) -> None:
    third: Patient = PatientFactory(site=site)
    with pytest.raises(AccessDenied):
        merge_patients(patient=patient, into=into, reason=WHY, by=photographer)
    for target, reason, message in [
        (into, "", "Enter the reason"),
        (patient, WHY, "same patient"),
        (PatientFactory(site=other_site), WHY, "one site"),
    ]:
        with pytest.raises(ExamError, match=message):
            merge_patients(patient=patient, into=target, reason=reason, by=manager)
    with pytest.raises(CorrectionRefused, match="not merged"):
        unmerge_patients(patient=patient, reason=WHY, by=manager)
    merge_patients(patient=patient, into=into, reason=WHY, by=manager)
    for source, target in ((patient, third), (third, patient)):
        with pytest.raises(CorrectionRefused, match="merged already"):
            merge_patients(patient=source, into=target, reason=WHY, by=manager)
    with pytest.raises(CorrectionRefused, match="other way round"):
        merge_patients(patient=into, into=third, reason=WHY, by=manager)
    assert Correction.objects.count() == 1
    merge_patients(patient=third, into=into, reason=WHY, by=manager)
    assert set(into.merged_from.all()) == {patient, third}

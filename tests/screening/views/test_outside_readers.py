"""Outside readers: no response tells them who a person is, if the site hides people from them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.access import sees_identity
from screening.models import (
    AuditEvent,
    ContactAttempt,
    Correction,
    Exam,
    ExamLock,
    FirstReading,
    FundusImage,
    Message,
    Patient,
    ReferralEvent,
    RegisterEntry,
    Review,
    Site,
    User,
)
from tests.screening.documents import DocumentFactory
from tests.screening.factories import (
    BookingFactory,
    FundusImageFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    SiteFactory,
    UserFactory,
)
from tests.screening.planted_texts import PLANTED, TEXT, content_of, leaks, plant_exam, sign
from tests.screening.test_access_audit import records_of_routes, upload_of_photograph
from tests.screening.views.pages import page_text, url


@pytest.fixture
def outside_reader(site: Site) -> User:
    user: User = MembershipFactory(site=site, role="outside_reader").user
    return user


@pytest.fixture
def as_outside_reader(client: Client, outside_reader: User) -> Client:
    client.force_login(outside_reader)
    return client


@pytest.fixture
def patient(site: Site) -> Patient:
    patient: Patient = PatientFactory(
        site=site,
        family_name="Zq-Family",
        given_name="Zq-Given",
        mrn="ZQ-MRN-1",
        born_on="1961-07-23",
        phone="07700-900123",
        email="zq.mail@example.org",
        diabetes_since_year=1987,
    )
    return patient


@pytest.fixture
def records(site: Site, patient: Patient) -> dict[str, Any]:
    """Keyword arguments of all routes: records of the person, with texts that name them."""
    SiteFactory(name="Zq-Other-Clinic")
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    patient.refresh_from_db()
    earlier = plant_exam(patient)
    Exam.objects.filter(pk=earlier.pk).update(created_at="2024-03-05T10:00Z")
    review = sign(earlier)
    exam, user = plant_exam(patient), UserFactory()
    image = exam.images.get()
    referral = ReferralFactory(exam=plant_exam(patient))
    ReferralEvent.objects.create(
        referral=referral, state="made", happened_on=timezone.localdate(), note=TEXT, recorded_by=user
    )
    RegisterEntry.objects.create(
        patient=patient, status="eligible", reason="other", note=TEXT, from_on="2024-03-05", recorded_by=user
    )
    ContactAttempt.objects.create(
        patient=patient,
        kind="invitation",
        channel="letter",
        result="sent",
        on="2024-03-05",
        note=TEXT,
        recorded_by=user,
    )
    Correction.objects.create(
        site=site, kind="exam_returned", exam=exam, reason=TEXT, made_by=user, from_patient=patient, to_patient=patient
    )
    return {
        **records_of_routes(site),
        "upload_id": upload_of_photograph(exam, site).pk,
        "patient_id": patient.pk,
        "exam_id": exam.pk,
        "image_id": image.pk,
        "grading_id": image.gradings.get().pk,
        "review_id": review.pk,
        "referral_id": referral.pk,
        "booking_id": BookingFactory(patient=patient).pk,
        "document_id": DocumentFactory(review=review, is_done=True).pk,
        "message_id": Message.objects.create(site=site, patient=patient, kind="invitation", state="not_sent").pk,
    }


@pytest.mark.parametrize("is_reviewer_elsewhere", [False, True])
def test_no_response_shows_an_outside_reader_who_the_person_is(
    is_reviewer_elsewhere: bool, as_outside_reader: Client, records: dict[str, Any], outside_reader: User
) -> None:
    if is_reviewer_elsewhere:
        MembershipFactory(user=outside_reader, role="reviewer")
    assert list(leaks(as_outside_reader, records)) == []
    exam = Exam.objects.get(pk=records["exam_id"])
    assert "Female, 60 to 69 years" in page_text(as_outside_reader, "exam-review", exam.pk)
    assert FirstReading.objects.filter(reviewer=outside_reader).exists()  # the walk came to the result
    signed = sign(exam, outside_reader)
    records["review_id"], of_colleague = signed.pk, Exam.objects.get(reviews=records["review_id"])
    assert list(leaks(as_outside_reader, records)) == []
    assert "Amend this review" in page_text(as_outside_reader, "exam-review", exam.pk)
    assert list(leaks(as_outside_reader, records | {"exam_id": of_colleague.pk}, but=records)) == []
    assert as_outside_reader.get(url("exam-review", of_colleague.pk))["Location"] == url("worklist")


def test_a_reviewer_who_manages_finds_the_planted_texts_on_the_same_routes(
    client: Client, records: dict[str, Any], reviewer: User, site: Site
) -> None:
    MembershipFactory(user=reviewer, site=site, role="manager")
    client.force_login(reviewer)
    found = "\n".join(leaks(client, records))
    assert all(text in found for text in ("Zq-Family", "ZQ-MRN", "23 Jul 1961", "1961-07-23", "07700-900", TEXT)), found
    assert all(name in found for name in ("worklist", "exam-review", "api:patient", "exam-detail"))


def test_a_site_may_show_people_to_outside_readers(
    as_outside_reader: Client, records: dict[str, Any], outside_reader: User, site: Site
) -> None:
    assert not sees_identity(outside_reader, site)
    Site.objects.update(hides_identity=False)
    assert sees_identity(outside_reader, site)
    assert "Zq-Family" in page_text(as_outside_reader, "worklist")
    assert "23 Jul 1961" in page_text(as_outside_reader, "exam-review", records["exam_id"])
    assert as_outside_reader.get(url("patient-detail", records["patient_id"])).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("patient-detail", 404), ("exam-detail", 404), ("patient-list", 403), ("referrals", 403), ("predict", 403)],
)
def test_pages_about_people_are_refused(
    name: str, status: int, as_outside_reader: Client, records: dict[str, Any]
) -> None:
    noun = name.split("-", maxsplit=1)[0]
    args = [records[f"{noun}_id"]] if name.endswith("detail") else []
    assert as_outside_reader.get(url(name, *args)).status_code == status
    assert f'href="{url("patient-list")}"' not in page_text(as_outside_reader, "worklist")


def test_the_order_of_the_worklist_does_not_follow_hidden_names(
    as_outside_reader: Client, outside_reader: User, site: Site
) -> None:
    own = MembershipFactory(user=outside_reader, role="reviewer").site
    hidden = [plant_exam(PatientFactory(site=site, family_name=name)) for name in ("Zorn", "Adams")]
    seen = [plant_exam(PatientFactory(site=own, family_name=name)) for name in ("Yilmaz", "Baker")]
    listed = as_outside_reader.get(url("worklist"), {"sort": "patient", "state": "waiting"}).context["exams"]
    assert [exam.pk for exam in listed] == [one.pk for one in (*hidden, *reversed(seen))]
    for text, expected in (("Adams", []), ("Baker", [seen[1].pk])):
        found = as_outside_reader.post(url("worklist"), {"text": text, "state": "waiting"}).context["exams"]
        assert [exam.pk for exam in found] == expected


def test_a_photograph_with_writing_is_not_shown(as_outside_reader: Client, patient: Patient) -> None:
    exam = plant_exam(patient)
    image = exam.images.get()
    assert as_outside_reader.get(url("image-photo", image.pk)).status_code == 200
    FundusImage.objects.update(writing=FundusImage.Writing.KEPT)
    for address in (url("image-photo", image.pk), url("image-screen", image.pk), url("exam-review", exam.pk)):
        assert as_outside_reader.get(address).status_code == 404
    assert list(as_outside_reader.get(url("worklist"), {"state": "waiting"}).context["exams"]) == []
    assert as_outside_reader.get(url("exam-prefetch")).json()["page"] == ""


def test_only_handed_over_exams_are_shown(as_outside_reader: Client, patient: Patient) -> None:
    exam = plant_exam(patient, is_submitted=False)
    assert as_outside_reader.get(url("image-photo", exam.images.get().pk)).status_code == 404
    assert list(as_outside_reader.get(url("worklist"), {"state": "open"}).context["exams"]) == []


def test_the_api_takes_no_exam_of_hidden_people(
    as_outside_reader: Client, outside_reader: User, patient: Patient
) -> None:
    plant_exam(patient)
    MembershipFactory(user=outside_reader, role="reviewer")  # at another site, where no exam waits
    assert as_outside_reader.post("/api/v1/exams/next", {}, content_type="application/json").status_code == 409
    assert not ExamLock.objects.exists()


def test_a_colleague_who_has_the_exam_is_named_and_the_patient_is_not(
    as_outside_reader: Client, patient: Patient, reviewer: User
) -> None:
    exam = plant_exam(patient)
    now = timezone.now()
    ExamLock.objects.create(
        exam=exam, holder=reviewer, taken_at=now, active_at=now, expires_at=now + timedelta(minutes=9)
    )
    content = content_of(as_outside_reader.get(url("exam-review", exam.pk)))
    assert "reviewer is reading this exam" in content
    assert not any(text in content for text in PLANTED)


def test_an_outside_reader_signs(as_outside_reader: Client, patient: Patient, outside_reader: User) -> None:
    exam = plant_exam(patient, right_eye_unobtainable="", right_eye_unobtainable_reason="")
    FundusImageFactory(exam=exam, laterality="OS")
    as_outside_reader.get(url("exam-review", exam.pk))
    reading = {
        f"{eye}-{name}": value for eye in Laterality for name, value in (("verdict", "0"), ("macular_oedema", "none"))
    }
    response = as_outside_reader.post(url("exam-sign", exam.pk), reading, follow=True)
    assert Review.objects.get(exam=exam).reviewer == outside_reader
    assert not any(text in content_of(response) for text in PLANTED)
    assert AuditEvent.objects.filter(verb="review.signed", actor=outside_reader).exists()


def test_the_panel_hides_people_from_a_superuser_who_reads_as_an_outside_reader(
    client: Client, outside_reader: User, records: dict[str, Any]
) -> None:
    User.objects.filter(pk=outside_reader.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=outside_reader.pk))
    for name in ("patient", "exam", "review", "fundusimage"):
        content = content_of(client.get(reverse(f"admin:screening_{name}_changelist")))
        assert not any(text in content for text in PLANTED if text != "Zq-Other-Clinic"), name
    assert client.get(reverse("admin:screening_patient_change", args=[records["patient_id"]])).status_code == 302


def test_an_unknown_exam_is_not_found(as_outside_reader: Client) -> None:
    assert as_outside_reader.get(url("exam-review", uuid.uuid4())).status_code == 404

"""The audit page of a site: sentences, filters, access, blindness, export."""

import csv
import datetime
import io
from typing import Any

from django.test import Client
from django.utils import timezone

from screening.labels.audit import GROUP_LABELS, SENTENCES
from screening.models import AuditEvent, ReadingDraft, Site, User
from screening.policy.audit import AuditGroup
from screening.services.audit import record_event
from screening.services.reviews import Finding, record_first_readings, sign_review
from screening.views.audit import PER_PAGE
from tests.screening.eye_states import make_exam
from tests.screening.factories import (
    EyeFindingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    UserFactory,
)
from tests.screening.services.test_reviews import both
from tests.screening.views.pages import count_queries, page_text, text_of, url

Verb = AuditEvent.Verb


def exported(client: Client, site: Site, **values: Any) -> list[dict[str, str]]:
    response: Any = client.post(url("site-audit-export", site.pk), {"format": "csv", **values})
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def test_every_code_has_one_sentence_with_the_person() -> None:
    codes = [code for sentences in SENTENCES.values() for code in sentences]
    assert sorted(codes) == sorted(Verb.values)
    assert set(SENTENCES) == set(GROUP_LABELS) == set(AuditGroup)
    assert all("%(who)s" in str(one) for sentences in SENTENCES.values() for one in sentences.values())


def test_a_manager_reads_and_filters_the_events_of_the_site(site: Site, as_manager: Client, photographer: User) -> None:
    photographer.first_name, photographer.last_name = "Anna", "Reader"
    photographer.save()
    review = ReviewFactory(exam__patient=PatientFactory(site=site, mrn="MRN-7"), reviewer=photographer)
    EyeFindingFactory(review=review, laterality="OD", grade=2, retinopathy="R2", maculopathy="M0")
    other = PatientFactory(site=site, mrn="OTHER-8")
    record_event(verb=Verb.REVIEW_SIGNED, subject=review, site=site, by=photographer)
    record_event(verb=Verb.PATIENT_VIEWED, subject=other, site=site, by=None)
    data = {"route": "screening:exam-status", "record": str(review.exam_id)}
    record_event(verb=Verb.RECORD_VIEWED, subject=None, site=site, data=data, by=photographer)
    elsewhere = PatientFactory(mrn="ELSEWHERE")
    record_event(verb=Verb.PATIENT_VIEWED, subject=elsewhere, site=elsewhere.site, by=photographer)
    text = page_text(as_manager, "site-audit", site.pk)
    assert "Anna Reader signed a review." in text
    assert f"OD R2 M0 · {review.get_outcome_display()}" in text
    assert "MRN-7" in text
    assert "OTHER-8" in text
    assert "ELSEWHERE" not in text
    event = AuditEvent.objects.get(verb=Verb.AUDIT_VIEWED)
    assert (event.object_id, event.site, event.data["n_found"]) == (str(site.pk), site, 3)

    address = url("site-audit", site.pk)
    response = as_manager.post(f"{address}?action=readings", {"mrn": "MRN-7"})
    assert response["Location"] == f"{address}?action=readings&patient={review.exam.patient_id}"
    assert "OTHER-8" not in text_of(as_manager.get(response["Location"]))
    rows = exported(as_manager, site, patient=review.exam.patient_id)
    assert [(row["Code"], row["Medical record number"]) for row in rows if row["Who"] == "Anna Reader"] == [
        ("record.viewed", "MRN-7"),
        ("review.signed", "MRN-7"),
    ]
    response = as_manager.post(address, {"mrn": "ELSEWHERE"})
    assert (response.status_code, "No patient of this site has this number" in text_of(response)) == (422, True)
    assert as_manager.get(address, {"patient": str(elsewhere.pk)}).status_code == 404

    today, person = timezone.localdate(timezone=site.zone), str(photographer.pk)
    assert [row["Code"] for row in exported(as_manager, site, action="readings", person=person)] == ["review.signed"]
    assert exported(as_manager, site, to_on=today - datetime.timedelta(days=1)) == []
    assert len(exported(as_manager, site, from_on=today, to_on=today, action="patients")) == 0
    for wrong in ({"person": "anna"}, {"action": "all "}, {"from_on": "1.2.27"}, {"before": "x"}, {"mrn": "MRN-7"}):
        assert as_manager.get(address, wrong).status_code == 400, wrong


def test_pages_follow_by_event_and_take_as_many_queries_for_any_number(
    site: Site, as_manager: Client, photographer: User
) -> None:
    patients = [PatientFactory(site=site) for _ in range(3)]
    for patient in patients:
        record_event(verb=Verb.PATIENT_VIEWED, subject=patient, site=site, by=photographer)
    n_queries = count_queries(as_manager, "site-audit", site.pk)
    at = timezone.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(verb=Verb.PATIENT_VIEWED, object_type="patient", object_id=str(patients[0].pk), site=site, at=at)
        for _ in range(PER_PAGE * 2)
    )
    assert count_queries(as_manager, "site-audit", site.pk) == n_queries <= 24
    address = url("site-audit", site.pk)
    total = AuditEvent.objects.filter(site=site, verb=Verb.PATIENT_VIEWED).count()
    page = as_manager.get(address, {"action": "views"}).context["page"]
    seen, first = [one.pk for one in page.events], page.events[0].pk
    while page.older:
        page = as_manager.get(address, {"action": "views", "before": page.older}).context["page"]
        seen += [one.pk for one in page.events]
    assert len(seen) == len(set(seen)) >= total
    page = as_manager.get(address, {"action": "views", "after": page.newer}).context["page"]
    assert [one.pk for one in page.events] == seen[-len(page.events) - len(seen) % PER_PAGE :][:PER_PAGE]
    assert first == seen[0]


def test_a_manager_who_reads_does_not_learn_what_a_colleague_found(
    site: Site, as_manager: Client, manager: User
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    MembershipFactory(user=manager, site=site, role="reviewer")
    exam = make_exam(site, "grade 4", "grade 4")
    exam.refresh_from_db()
    ReadingDraft.objects.create(exam=exam, reviewer=manager, entries={}, updated_at=timezone.now())
    colleague = MembershipFactory(site=site, role="reviewer").user
    findings = {eye: Finding(laterality=eye, grade=one.grade) for eye, one in both(4, 4).items()}
    record_first_readings(exam=exam, findings=findings, by=colleague)
    sign_review(exam=exam, findings=findings, by=colleague)
    hidden = {"review.signed", "referral.changed"}

    def codes() -> set[str]:
        return {row["Code"] for row in exported(as_manager, site)}

    text = page_text(as_manager, "site-audit", site.pk)
    assert "signed a review" not in text
    assert "Proliferative" not in text
    assert "Refer to" not in text
    assert not codes() & hidden
    record_first_readings(exam=exam, findings=both(1, 1), by=manager)
    assert codes() >= hidden
    assert "OD Proliferative" in page_text(as_manager, "site-audit", site.pk)


def test_a_superuser_reads_sentences_without_patients_and_a_cell_is_no_formula(site: Site, client: Client) -> None:
    person = MembershipFactory(site=site).user
    person.first_name = "=HYPERLINK(1)"
    person.save()
    review = ReviewFactory(exam__patient=PatientFactory(site=site, mrn="MRN-7"))
    EyeFindingFactory(review=review, laterality="OD", grade=2)
    record_event(verb=Verb.REVIEW_SIGNED, subject=review, site=site, by=person)
    client.force_login(UserFactory(is_superuser=True))
    text = page_text(client, "site-audit", site.pk)
    assert "=HYPERLINK(1) signed a review." in text
    assert "MRN-7" not in text
    assert "OD " not in text
    assert client.get(url("site-audit", site.pk), {"patient": str(review.exam.patient_id)}).status_code == 404
    row = next(row for row in exported(client, site) if row["Code"] == "review.signed")
    assert (row["Who"], row["What"]) == ("'=HYPERLINK(1)", "'=HYPERLINK(1) signed a review.")
    assert (row["Medical record number"], row["Details"]) == ("", "")
    event = AuditEvent.objects.get(verb=Verb.LIST_EXPORTED)
    assert (event.data["list"], event.site) == ("audit", site)

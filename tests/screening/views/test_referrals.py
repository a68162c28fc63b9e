"""Pages of referrals: list, filters, search, export, steps, results, figures."""

import csv
import datetime
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, ReadingDraft, Referral, ReferralFeedback, Site, User
from screening.templatetags.referrals import MENU_CACHED_S
from tests.screening.factories import (
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    UserFactory,
)
from tests.screening.views.pages import count_queries, page_text, text_of, url

DAY = datetime.timedelta(days=1)


def today_at(site: Site) -> datetime.date:
    return timezone.localdate(timezone=site.zone)


def make(site: Site, name: str, *, late_days: int = -5, **changes: Any) -> Referral:
    """A referral of a patient; ``late_days`` before today its next step was due."""
    patient = PatientFactory(site=site, family_name=name, mrn=f"MRN-{name}")
    due_on = (
        None if changes.get("state") in {"result_back", "declined", "withdrawn"} else today_at(site) - late_days * DAY
    )
    return ReferralFactory(exam__patient=patient, due_on=due_on, **changes)


@pytest.fixture
def referral(site: Site) -> Referral:
    return make(site, "Lovelace")


def test_late_referrals_are_first_and_marked(site: Site, as_reviewer: Client) -> None:
    for name, late_days in (("Intime", -9), ("Late", 1), ("Latest", 40)):
        make(site, name, late_days=late_days)
    text = page_text(as_reviewer, "referrals")
    assert text.index("MRN-Latest") < text.index("MRN-Late<") < text.index("MRN-Intime")
    assert "40 days late" in text
    assert "1 day late" in text
    late = page_text(as_reviewer, "referrals", late="yes")
    assert "MRN-Late<" in late
    assert "MRN-Intime" not in late


def test_filters_by_state_site_and_urgency(site: Site, other_site: Site, reviewer: User, as_reviewer: Client) -> None:
    MembershipFactory(user=reviewer, site=other_site, role="reviewer")
    make(site, "Made")
    make(site, "Urgent", urgency="immediate", outcome="refer_urgent")
    make(other_site, "Hill", state="sent")
    make(site, "Closed", state="declined")
    cases: list[tuple[dict[str, str], set[str]]] = [
        ({}, {"Made", "Urgent", "Hill"}),
        ({"state": "declined"}, {"Closed"}),
        ({"state": "sent"}, {"Hill"}),
        ({"site": "harbour"}, {"Made", "Urgent"}),
        ({"urgency": "immediate"}, {"Urgent"}),
        ({"late": "yes"}, set()),
    ]
    for query, names in cases:
        text = page_text(as_reviewer, "referrals", **query)
        assert {name for name in ("Made", "Urgent", "Hill", "Closed") if f"MRN-{name}" in text} == names, query


@pytest.mark.parametrize(
    "query", [{"state": "lost"}, {"site": "hill"}, {"urgency": "x"}, {"late": "no"}, {"text": "A"}]
)
def test_an_unknown_filter_is_refused(query: dict[str, str], referral: Referral, as_reviewer: Client) -> None:
    assert as_reviewer.get(url("referrals"), query).status_code == 400


def test_a_search_is_posted_audited_and_keeps_the_filters(site: Site, as_reviewer: Client) -> None:
    make(site, "Lovelace")
    make(site, "Lovell", state="sent")
    make(site, "Babbage")
    response = as_reviewer.post(url("referrals"), {"text": "love", "state": "open"})
    text = text_of(response)
    assert "MRN-Lovelace" in text
    assert "MRN-Lovell" in text
    assert "MRN-Babbage" not in text
    assert "2 referrals found" in text
    assert AuditEvent.objects.get(verb="patients.searched").data == {"route": "screening:referrals", "n_found": 2}
    text = text_of(as_reviewer.post(url("referrals"), {"text": "love", "state": "sent"}))
    assert "MRN-Lovelace" not in text
    response = as_reviewer.post(url("referrals"), {"text": " ", "state": "open", "late": "yes"})
    assert response["Location"] == f"{url('referrals')}?state=open&late=yes"


def test_the_list_has_pages_and_as_many_queries_for_any_number(site: Site, as_reviewer: Client) -> None:
    make(site, "First")
    n_queries = count_queries(as_reviewer, "referrals")
    for n in range(27):
        make(site, f"Row{n}")
    assert count_queries(as_reviewer, "referrals") == n_queries
    assert n_queries <= 13
    text = page_text(as_reviewer, "referrals")
    assert "Page 1 of 2" in text
    assert "state=open&amp;page=2" in text
    for filters in ({"late": "yes"}, {"urgency": "immediate"}, {"state": "result_back"}):
        assert "Page 1" not in text_of(as_reviewer.get(url("referrals"), filters))


def test_the_export_has_the_filters_in_view_and_no_formula(site: Site, as_reviewer: Client) -> None:
    make(site, "Kept", state="sent")
    make(site, "Left")
    referral = Referral.objects.get(state="sent")
    referral.exam.patient.given_name = " =HYPERLINK(1)"
    referral.exam.patient.save()
    response = as_reviewer.post(url("referral-export"), {"state": "sent", "format": "csv", "text": "kept"})
    head, row = csv.reader(StringIO(response.getvalue().decode("utf-8-sig")))
    cells = dict(zip(head, row, strict=True))
    assert (cells["Medical record number"], cells["Given name"], cells["State"]) == (
        "MRN-Kept",
        "' =HYPERLINK(1)",
        "Sent",
    )
    assert cells["To be seen by"] == referral.see_by.isoformat()
    assert response["Content-Disposition"].startswith('attachment; filename="referrals-2')
    assert AuditEvent.objects.get(verb="list.exported").data == {
        "list": "referrals",
        "format": "csv",
        "n_found": 1,
        "filters": "state=sent",
        "is_search": True,
    }


def test_the_page_offers_the_allowed_steps_to_who_may_act(
    referral: Referral, as_photographer: Client, reviewer: User
) -> None:
    text = page_text(as_photographer, "referral", referral.pk)
    assert "Record: Sent" in text
    assert "Record: Declined by the patient" in text
    assert "Record: Attended" not in text
    assert "Record the result" not in text
    assert AuditEvent.objects.filter(verb="referral.viewed", object_id=str(referral.pk)).count() == 1
    as_photographer.force_login(reviewer)
    assert "Record: Sent" not in page_text(as_photographer, "referral", referral.pk)


def send(client: Client, referral: Referral, to: str, **changes: str) -> Any:
    data = {"from_state": referral.state, "to": to, "happened_on": today_at(referral.site).isoformat(), **changes}
    return client.post(url("referral-step", referral.pk), data)


def test_a_step_is_recorded_with_date_and_note(referral: Referral, as_photographer: Client) -> None:
    response = send(as_photographer, referral, "sent", note="By secure mail")
    assert response["Location"] == url("referral", referral.pk)
    text = page_text(as_photographer, "referral", referral.pk)
    assert "By secure mail" in text
    assert "Recorded: Sent." in text
    assert "recorded by photographer" in text


def test_a_refused_step_keeps_the_entries_and_states_why(referral: Referral, as_photographer: Client) -> None:
    for changes, message in (
        ({"to": "declined", "note": ""}, "This field is required"),
        ({"to": "sent", "happened_on": "2020-01-01", "note": "kept text"}, "before the referral was made"),
        ({"to": "sent", "happened_on": "tomorrow", "note": "kept text"}, "Enter a valid date"),
    ):
        response = send(as_photographer, referral, **changes)
        assert response.status_code == 422
        assert message in text_of(response)
        assert (changes.get("note") or "Reason") in text_of(response)
    send(as_photographer, referral, "sent")
    response = send(as_photographer, referral, "sent")  # a second click
    assert response.status_code == 422
    assert "changed meanwhile" in text_of(response)
    assert Referral.objects.get().events.count() == 1


RESULT = {
    "is_confirmed": "yes", "right_grade": "4", "left_grade": "unknown", "right_oedema": "centre",
    "left_oedema": "unknown", "treatment": "laser", "note": "",
}  # fmt: skip


def test_the_result_of_the_hospital_closes_the_referral_and_is_shown(site: Site, as_photographer: Client) -> None:
    referral = make(site, "Lovelace", state="booked")
    day = today_at(site).isoformat()
    data = {**RESULT, "from_state": "booked", "examined_on": day}
    response = as_photographer.post(url("referral-feedback", referral.pk), data | {"treatment": ""})
    assert response.status_code == 422
    as_photographer.post(url("referral-feedback", referral.pk), data)
    referral.refresh_from_db()
    assert (referral.state, ReferralFeedback.objects.get().is_confirmed) == ("result_back", True)
    text = page_text(as_photographer, "referral", referral.pk)
    assert "Confirmed" in text
    assert "Proliferative" in text
    assert "Laser" in text
    assert "Correct the result of the hospital" in text


def with_result(site: Site, *, is_confirmed: bool, model_grade: int | None) -> Referral:
    referral = make(site, f"P{Referral.objects.count()}", state="result_back")
    before = timezone.now() - DAY
    image = FundusImageFactory(exam=referral.exam)
    changes: dict[str, Any] = (
        {"is_ungradable": True} if model_grade is None else {"is_done": True, "grade": model_grade}
    )
    GradingFactory(image=image, finished_at=before, **changes)
    later = {"model_version": "later", "finished_at": timezone.now() + DAY}
    GradingFactory(image=image, is_done=True, grade=0, **later)  # after the signature: it does not count
    for confirmed in (not is_confirmed, is_confirmed):  # the newest counts
        values = {"examined_on": today_at(site), "treatment": "none", "recorded_by": UserFactory()}
        ReferralFeedback.objects.create(referral=referral, is_confirmed=confirmed, **values)
    return referral


def test_managers_see_the_predictive_value_of_the_model_with_its_interval(
    site: Site, other_site: Site, as_manager: Client
) -> None:
    for is_confirmed, grade in ((True, 2), (True, 3), (True, 4), (False, 2), (True, 0), (False, None)):
        with_result(site, is_confirmed=is_confirmed, model_grade=grade)
    with_result(other_site, is_confirmed=True, model_grade=4)
    make(site, "Withdrawn", state="withdrawn")
    text = " ".join(page_text(as_manager, "referral-metrics").split())
    assert "3 of 4" in text
    assert "75 % (30 to 95 %)" in text  # Wilson
    assert "1 of 1" in text
    assert "4 of 6" in text
    assert "1 referral had no photograph that the model could grade" in text
    assert "later" not in text
    assert "no result is stored" not in text
    assert count_queries(as_manager, "referral-metrics") <= 16
    make(site, "Lost", state="result_back")
    text = " ".join(page_text(as_manager, "referral-metrics").split())
    assert "4 of 6" in text
    assert "1 referral had no photograph" in text
    assert "1 referral is closed as “result back”, but no result is stored" in text


def test_a_review_that_does_not_count_is_not_in_the_metrics(site: Site, as_manager: Client) -> None:
    referral = with_result(site, is_confirmed=True, model_grade=4)
    referral.exam.reading_round += 1
    referral.exam.save()
    assert "0 of 0" in " ".join(page_text(as_manager, "referral-metrics").split())


def test_patient_exam_and_review_page_link_the_referral(referral: Referral, as_reviewer: Client) -> None:
    exam = referral.exam
    for name, key in (("patient-detail", exam.patient_id), ("exam-detail", exam.pk), ("exam-review", exam.pk)):
        text = page_text(as_reviewer, name, key)
        assert url("referral", referral.pk) in text, name
        assert "Made, not sent yet" in text, name


def test_the_menu_has_the_number_of_late_ones_for_who_may_act(
    site: Site, as_photographer: Client, reviewer: User
) -> None:
    make(site, "Late", late_days=3)
    assert MENU_CACHED_S > 0
    assert "1 late" in page_text(as_photographer, "patient-list")
    as_photographer.force_login(reviewer)
    assert "1 late" not in page_text(as_photographer, "patient-list")


@pytest.mark.parametrize("mode", list(Site.ReadingMode))
def test_a_late_reader_sees_no_referral_at_any_site(
    mode: str, referral: Referral, reviewer: User, as_reviewer: Client
) -> None:
    Site.objects.update(reading_mode=mode)
    exam, page = referral.exam, url("referral", referral.pk)
    now = timezone.now()
    ReadingDraft.objects.create(
        exam=exam, reviewer=reviewer, reading_round=exam.reading_round, entries={}, updated_at=now
    )
    assert "MRN-Lovelace" not in page_text(as_reviewer, "referrals")
    assert as_reviewer.get(page).status_code == 404
    ReadingDraft.objects.all().delete()
    assert "MRN-Lovelace" in page_text(as_reviewer, "referrals")
    assert as_reviewer.get(page).status_code == 200

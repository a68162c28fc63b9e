"""A reading is never lost: automatic saves, ended sessions, forms that are sent twice."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from screening.models import AuditEvent, Exam, FirstReading, FundusImage, ReadingDraft, Review, Site, User
from tests.screening.factories import (
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
)
from tests.screening.views.pages import HTMX, JSON, page_text, text_of, url

PASSWORD = "correct horse battery"
READING = {"OD-verdict": "2", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none"}


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True, grade=3)
    return exam


@pytest.fixture
def blind_exam(exam: Exam) -> Exam:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    return exam


def fields(client: Client, exam: Exam) -> dict[str, str]:
    """The hidden fields of the review page."""
    response = client.get(url("exam-review", exam.pk))
    panel = response.context["panel"]
    return {
        "page_version": panel.page_version,
        "form_token": response.context["form_token"],
        "base_review": str(panel.base_review.pk) if panel.base_review else "",
        "draft_version": str(panel.draft.version) if panel.draft else "0",
        "stage": "first_reading" if panel.is_blind or panel.is_late else "signature",
    }


def save(client: Client, exam: Exam, entries: dict[str, str], **hidden: str) -> Any:
    return client.post(url("exam-draft", exam.pk), {**entries, **hidden}, headers=JSON)


def checked(text: str) -> set[str]:
    """The radio buttons that are selected, as "OD-verdict=2"."""
    tags = re.findall(r'<input type="radio"[^>]*>', text)
    found = (re.search(r'name="(.+?)" value="(.+?)"[^>]* checked', tag) for tag in tags)
    return {"=".join(match.groups()) for match in found if match}


def test_a_draft_comes_back_marked_as_a_draft(blind_exam: Exam, as_reviewer: Client) -> None:
    hidden = fields(as_reviewer, blind_exam)
    answer = save(as_reviewer, blind_exam, READING, **hidden).json()
    assert (answer["code"], answer["version"], answer["notice"]) == ("", 1, "")
    text = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert checked(text) == {f"{name}={value}" for name, value in READING.items()}
    assert "Draft, not signed." in text
    assert "heatmap-" not in text
    as_reviewer.post(url("exam-draft-discard", blind_exam.pk))
    text = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert checked(text) == set()
    assert "Draft, not signed." not in text


def test_the_draft_of_another_reviewer_is_on_no_page(
    exam: Exam, as_reviewer: Client, photographer: User, manager: User
) -> None:
    save(as_reviewer, exam, {"note": "Unicorn note"}, **fields(as_reviewer, exam))
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    chief = UserFactory(is_staff=True, is_superuser=True)
    for user in (colleague, photographer, manager, chief):
        client = Client()
        client.force_login(user)
        for name, key in (("exam-review", exam.pk), ("exam-detail", exam.pk), ("patient-detail", exam.patient_id)):
            assert "Unicorn" not in text_of(client.get(url(name, key), follow=True))
    client.force_login(chief)
    for model in ("exam", "auditevent", "review"):
        assert "Unicorn" not in text_of(client.get(f"/admin/screening/{model}/"))
    assert client.get("/admin/screening/readingdraft/").status_code == 404


def test_an_unknown_choice_is_not_kept(exam: Exam, as_reviewer: Client) -> None:
    save(as_reviewer, exam, {"OD-verdict": "banana", "note": "a\x00b", "unknown": "x"})
    assert ReadingDraft.objects.get().entries == {"OD-verdict": "", "note": "ab"}


def test_grades_of_a_draft_are_not_selected_after_a_photograph_was_moved(exam: Exam, as_reviewer: Client) -> None:
    save(as_reviewer, exam, {**READING, "note": "See fundus"}, **fields(as_reviewer, exam))
    FundusImage.objects.filter(exam=exam, laterality="OD").update(laterality="OS")
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert checked(text) == set()
    assert "Photographs of this exam changed" in text
    assert "See fundus" in text
    assert "Right eye: Moderate" in " ".join(text.split())


def test_an_older_tab_does_not_replace_a_newer_draft(exam: Exam, as_reviewer: Client) -> None:
    first_tab, second_tab = fields(as_reviewer, exam), fields(as_reviewer, exam)
    save(as_reviewer, exam, {"OD-verdict": "1"}, **first_tab)
    answer = save(as_reviewer, exam, {"OD-verdict": "4"}, **second_tab)
    assert (answer.status_code, answer.json()["code"]) == (409, "newer_draft")
    assert "newer draft of this reading" in answer.json()["notice"]
    assert ReadingDraft.objects.get().entries == {"OD-verdict": "1"}
    assert save(as_reviewer, exam, {"OD-verdict": "4"}, keep="yes", **second_tab).status_code == 200
    status = as_reviewer.get(url("exam-review-status", exam.pk), first_tab | {"draft_version": "1"}, headers=JSON)
    assert status.json()["code"] == "newer_draft"


@pytest.mark.parametrize("step", ["sign", "first-reading", "preview", "draft"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_form_after_the_end_of_the_session_comes_back_after_the_log_in(
    step: str, headers: dict[str, str], exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    hidden = fields(client, exam)
    del client.cookies["sessionid"]
    name = "exam-draft" if step == "draft" else f"exam-{step}"
    response = client.post(url(name, exam.pk), READING | hidden, headers=headers)
    page = url("exam-review", exam.pk)
    login = response["HX-Redirect"] if headers else response["Location"]
    assert login.replace("%2F", "/") == f"/login/?next={page}"
    response = client.post(login, {"username": reviewer.username, "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == page
    text = text_of(response)
    assert checked(text) == {f"{name}={value}" for name, value in READING.items()}
    assert "You were logged out before your entries were sent" in text
    assert "Draft, not signed." in text
    assert not Review.objects.exists()
    assert not FirstReading.objects.exists()


@pytest.mark.parametrize("has_token", [True, False])
def test_a_form_that_lost_all_cookies_comes_back_too(has_token: bool, exam: Exam, reviewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer)
    hidden = fields(client, exam) | ({} if has_token else {"form_token": "forged"})
    client.cookies.clear()
    response = client.post(url("exam-sign", exam.pk), READING | hidden)
    if not has_token:
        assert response.status_code == 403
        return
    assert response["Location"] == f"/login/?next={url('exam-review', exam.pk)}"
    client.force_login(reviewer)
    assert checked(page_text(client, "exam-review", exam.pk)) == {f"{name}={value}" for name, value in READING.items()}


def test_the_next_user_of_the_browser_does_not_get_the_form(exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    hidden = fields(client, exam)
    del client.cookies["sessionid"]
    client.post(url("exam-sign", exam.pk), READING | hidden)
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    client.post("/login/", {"username": colleague.username, "password": PASSWORD})
    text = page_text(client, "exam-review", exam.pk)
    assert checked(text) == set()
    assert not ReadingDraft.objects.exists()


@pytest.mark.parametrize("token", ["", "forged"])
def test_without_its_token_a_form_is_not_kept(token: str, exam: Exam, client: Client) -> None:
    response = client.post(url("exam-draft", exam.pk), READING | {"form_token": token}, headers=JSON)
    assert (response.status_code, response.json()["is_kept"]) == (401, False)
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize("step", ["exam-sign", "exam-first-reading"])
def test_the_address_of_a_step_leads_to_the_reading_page(step: str, exam: Exam, as_reviewer: Client) -> None:
    response = as_reviewer.get(url(step, exam.pk))
    assert (response.status_code, response["Location"]) == (302, url("exam-review", exam.pk))


def test_another_form_leads_after_the_log_in_to_its_page(exam: Exam, client: Client) -> None:
    page = url("exam-detail", exam.pk)
    response = client.post(url("exam-submit", exam.pk), headers={"Referer": f"http://testserver{page}"})
    assert response["Location"] == f"/login/?next={page}"
    response = client.post(url("exam-submit", exam.pk), headers={"Referer": "https://elsewhere.example/"})
    assert response["Location"] == "/login/?next=/"


def test_a_form_sent_twice_is_signed_once_and_shows_the_same_page(exam: Exam, as_reviewer: Client) -> None:
    form = READING | {"note": "Once"} | fields(as_reviewer, exam)
    responses = [as_reviewer.post(url("exam-sign", exam.pk), form) for _ in range(3)]
    assert [(r.status_code, r["Location"]) for r in responses] == [(302, url("exam-review", exam.pk))] * 3
    assert Review.objects.count() == 1
    assert AuditEvent.objects.filter(verb="review.signed").count() == 1
    amendment = READING | {"note": "Twice", "amend_reason": "Typing error"} | fields(as_reviewer, exam)
    responses = [as_reviewer.post(url("exam-sign", exam.pk), amendment) for _ in range(2)]
    assert [r.status_code for r in responses] == [302, 302]
    assert Review.objects.count() == 2
    assert as_reviewer.post(url("exam-sign", exam.pk), form).status_code == 302  # by the Back button, much later
    assert Review.objects.count() == 2


def test_without_the_hidden_fields_a_form_is_signed_once_too(exam: Exam, as_reviewer: Client) -> None:
    for form in (READING, READING | {"OD-verdict": "3", "amend_reason": "Missed IRMA"}):
        for _ in range(2):
            assert as_reviewer.post(url("exam-sign", exam.pk), form).status_code == 302
    assert Review.objects.count() == 2


def test_other_findings_from_an_old_page_are_not_signed(exam: Exam, as_reviewer: Client) -> None:
    form = READING | fields(as_reviewer, exam)
    as_reviewer.post(url("exam-sign", exam.pk), form)
    response = as_reviewer.post(url("exam-sign", exam.pk), form | {"OD-verdict": "4"})
    assert response.status_code == 422
    assert "You have signed this exam already" in text_of(response)
    assert Review.objects.count() == 1


def test_a_first_reading_sent_twice_is_recorded_once(blind_exam: Exam, as_reviewer: Client) -> None:
    form = READING | fields(as_reviewer, blind_exam)
    for _ in range(2):
        response = as_reviewer.post(url("exam-first-reading", blind_exam.pk), form, headers=HTMX)
        assert response.status_code == 200
        assert "heatmap-" in text_of(response)
    assert FirstReading.objects.count() == 2
    assert AuditEvent.objects.filter(verb="first_reading.recorded").count() == 2


@pytest.mark.parametrize("step", ["sign", "first-reading"])
def test_parallel_requests_sign_once(step: str, shared_database: str, site: Site, reviewer: User) -> None:
    if step == "first-reading":
        Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(reviewer)
    form = READING | fields(clients[0], exam)

    def send(client: Client) -> int:
        try:
            return int(client.post(url(f"exam-{step}", exam.pk), form).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        assert list(pool.map(send, clients)) == [302] * 4
    assert (Review.objects.count(), FirstReading.objects.count()) == ((1, 0) if step == "sign" else (0, 2))


def test_a_save_of_a_cancelled_exam_has_a_notice(exam: Exam, as_reviewer: Client) -> None:
    hidden = fields(as_reviewer, exam)
    Exam.objects.update(status=Exam.Status.CANCELLED)
    answer = save(as_reviewer, exam, READING, **hidden)
    assert (answer.status_code, answer.json()["code"]) == (200, "not_waiting")
    assert "Its status is now: Cancelled" in answer.json()["notice"]
    assert ReadingDraft.objects.get().entries == READING


@pytest.mark.parametrize("step", ["exam-draft", "exam-review-status"])
def test_changed_photographs_are_reported_while_the_page_is_open(step: str, exam: Exam, as_reviewer: Client) -> None:
    hidden = fields(as_reviewer, exam)
    assert as_reviewer.get(url("exam-review-status", exam.pk), hidden, headers=JSON).json()["code"] == ""
    FundusImage.objects.filter(exam=exam, laterality="OD").update(laterality="OS")
    method = as_reviewer.post if step == "exam-draft" else as_reviewer.get
    assert method(url(step, exam.pk), READING | hidden, headers=JSON).json()["code"] == "photos_changed"


def test_a_save_takes_few_queries(exam: Exam, as_reviewer: Client, django_assert_max_num_queries: Any) -> None:
    hidden = fields(as_reviewer, exam)
    save(as_reviewer, exam, READING, **hidden)
    with django_assert_max_num_queries(18):
        save(as_reviewer, exam, {"OD-verdict": "1"}, **hidden | {"draft_version": "1"})
    with django_assert_max_num_queries(11):  # with the event of the first request
        as_reviewer.get(url("exam-review-status", exam.pk), hidden | {"draft_version": "2"}, headers=JSON)

"""A colleague signs while a reviewer is reading; amendments and earlier versions."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, ExamLock, FirstReading, ReadingDraft, Review, Site, User
from tests.screening.factories import MembershipFactory
from tests.screening.views.pages import HTMX, JSON, page_text, text_of, url
from tests.screening.views.test_drafts import READING, blind_exam, checked, exam, fields, save

__all__ = ("blind_exam", "exam")  # fixtures
SECRET = "Colleague's secret note"
COLLEAGUES = READING | {"OD-verdict": "4", "OS-macular_oedema": "centre", "note": SECRET}


@pytest.fixture
def as_colleague(site: Site) -> Client:
    client = Client()
    client.force_login(MembershipFactory(site=site, role="reviewer", user__username="second.reader").user)
    return client


def sign_as(client: Client, exam: Exam, data: dict[str, str] = COLLEAGUES) -> None:
    """Take the exam over from the reviewer who has it open, and sign it."""
    for lock in ExamLock.objects.filter(exam=exam):
        client.post(url("exam-take-over", exam.pk), {"holder": lock.holder_id})
    if exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST:
        assert client.post(url("exam-first-reading", exam.pk), data).status_code == 302
    assert client.post(url("exam-sign", exam.pk), data).status_code == 302


def status(client: Client, exam: Exam, hidden: dict[str, str]) -> Any:
    return client.get(url("exam-review-status", exam.pk), hidden, headers=JSON).json()


def reveals(text: str) -> bool:
    """Whether a page or answer contains what the colleague signed."""
    return "secret note" in text or "Refer to a specialist" in text or "second.reader" in text


@pytest.mark.parametrize("has_draft", [True, False])
def test_a_late_reader_sees_what_was_signed_only_after_the_own_reading(
    has_draft: bool, blind_exam: Exam, as_reviewer: Client, as_colleague: Client, reviewer: User
) -> None:
    blind_exam.refresh_from_db()
    hidden = fields(as_reviewer, blind_exam)
    assert status(as_reviewer, blind_exam, hidden)["code"] == ""
    if has_draft:
        save(as_reviewer, blind_exam, {"OD-verdict": "2"}, **hidden)
    sign_as(as_colleague, blind_exam)
    answer = status(as_reviewer, blind_exam, hidden | {"draft_version": "1"})
    assert answer["code"] == "signed_by_colleague"
    assert not reveals(answer["notice"])
    for step, data in (
        ("draft", READING | hidden | {"draft_version": "1"}),
        ("first-reading", {"OD-verdict": "2"} | hidden),
    ):
        text = text_of(as_reviewer.post(url(f"exam-{step}", blind_exam.pk), data, headers=JSON))
        assert "A colleague signed this exam while you were reading" in text, step
        assert not reveals(text), step
    for name, key in (
        ("exam-review", blind_exam.pk),
        ("exam-detail", blind_exam.pk),
        ("patient-detail", blind_exam.patient_id),
    ):
        text = page_text(as_reviewer, name, key)
        assert not reveals(text), name
        assert "heatmap-" not in text, name
    response = as_reviewer.post(url("exam-first-reading", blind_exam.pk), READING | hidden, headers=HTMX)
    assert response["HX-Redirect"] == url("exam-review", blind_exam.pk)
    text = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert reveals(text)
    assert "Your own reading beside what was signed" in text
    assert (text.count("Differs</span>"), text.count("The same</span>")) == (2, 0)
    assert FirstReading.objects.filter(reviewer=reviewer).count() == 2
    assert Review.objects.count() == 1
    # The amendment starts from what is signed.
    assert {"OD-verdict=4", "OS-macular_oedema=centre"} <= checked(text)
    assert "Draft, not signed." not in text
    assert ReadingDraft.objects.get().entries == {}
    assert reveals(page_text(as_reviewer, "exam-detail", blind_exam.pk))


@pytest.mark.parametrize("mode", list(Site.ReadingMode))
def test_a_reader_who_has_entered_nothing_yet_is_late_too(
    mode: str, exam: Exam, as_reviewer: Client, as_colleague: Client
) -> None:
    exam.site.reading_mode = mode
    exam.site.save()
    hidden = fields(as_reviewer, exam)
    sign_as(as_colleague, exam)
    answer = status(as_reviewer, exam, hidden)
    assert "Finish your own reading and save it" in answer["notice"]
    for _ in range(2):
        text = page_text(as_reviewer, "exam-review", exam.pk)
        assert "A colleague signed this exam while you were reading" in text
        assert "Draft, not signed." not in text
        assert not reveals(text)
    assert reveals(text_of(as_reviewer.post(url("exam-draft-discard", exam.pk), follow=True)))
    assert reveals(page_text(as_reviewer, "exam-review", exam.pk))


def test_a_reader_who_comes_after_the_signature_sees_it(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    sign_as(as_colleague, exam)
    assert reveals(page_text(as_reviewer, "exam-review", exam.pk))


def test_a_late_signature_is_stored_as_the_own_reading(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    hidden = fields(as_reviewer, exam)
    sign_as(as_colleague, exam)
    form = READING | {"note": "Mine"} | hidden
    incomplete = as_reviewer.post(url("exam-sign", exam.pk), form | {"OS-verdict": ""})
    assert incomplete.status_code == 422
    assert not reveals(text_of(incomplete))
    response = as_reviewer.post(url("exam-sign", exam.pk), form, follow=True)
    text = text_of(response)
    assert "saved as your own reading. They are not signed." in text
    assert reveals(text)
    assert text.count("Differs</span>") == 2
    assert Review.objects.count() == 1
    assert ">Mine</textarea>" in text.replace("\n", "")


def test_a_late_reader_can_give_up_the_own_reading(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    save(as_reviewer, exam, READING, **fields(as_reviewer, exam))
    sign_as(as_colleague, exam)
    assert not reveals(page_text(as_reviewer, "exam-review", exam.pk))
    text = text_of(as_reviewer.post(url("exam-draft-discard", exam.pk), follow=True))
    assert reveals(text)
    assert not FirstReading.objects.exists()
    # A reader who has seen the result stores no first reading any more.
    seen = fields(as_reviewer, exam)
    assert as_reviewer.post(url("exam-first-reading", exam.pk), READING | seen).status_code == 422
    assert not FirstReading.objects.exists()


def test_after_the_own_first_reading_the_signature_of_a_colleague_is_shown(
    blind_exam: Exam, as_reviewer: Client, as_colleague: Client
) -> None:
    blind_exam.refresh_from_db()
    as_reviewer.post(url("exam-first-reading", blind_exam.pk), READING)
    form = READING | {"note": "My own note"} | fields(as_reviewer, blind_exam)
    sign_as(as_colleague, blind_exam)
    response = as_reviewer.post(url("exam-sign", blind_exam.pk), form)
    text = text_of(response)
    assert response.status_code == 422
    assert "A colleague signed this exam while you were reading" in text
    assert reveals(text)
    assert "My own note" in text
    assert "My own note" in page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert Review.objects.count() == 1


def test_the_api_hides_what_was_signed_from_a_late_reader(
    exam: Exam, reviewer: User, as_reviewer: Client, as_colleague: Client, client: Client
) -> None:
    save(as_reviewer, exam, READING, **fields(as_reviewer, exam))
    sign_as(as_colleague, exam)
    review = Review.objects.get()
    for path in (f"/api/v1/exams/{exam.pk}", f"/api/v1/reviews/{review.pk}"):
        assert not reveals(text_of(as_reviewer.get(path))), path
        assert reveals(text_of(as_colleague.get(path))), path


def test_an_amendment_starts_from_the_signed_note_and_findings(exam: Exam, as_reviewer: Client) -> None:
    as_reviewer.post(url("exam-sign", exam.pk), READING | {"note": "Drusen, temporal"})
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert checked(text) == {f"{name}={value}" for name, value in READING.items()}
    assert ">Drusen, temporal</textarea>" in text.replace("\n", "")


def test_every_version_stays_on_the_page_struck_through(
    exam: Exam, as_reviewer: Client, as_colleague: Client, reviewer: User
) -> None:
    as_reviewer.post(url("exam-sign", exam.pk), READING | {"note": "Version one"})
    for client, note, reason in (
        (as_colleague, "Version two", "Missed IRMA"),
        (as_reviewer, "Version three", "Drusen, not exudates"),
    ):
        client.post(url("exam-sign", exam.pk), READING | {"note": note, "amend_reason": reason} | fields(client, exam))
    for name in ("exam-review", "exam-detail"):
        text = page_text(as_reviewer, name, exam.pk)
        struck = [block.split("</del>")[0] for block in text.split("<del>")[1:]]
        assert [("Version two" in one, "Version one" in one) for one in struck] == [(True, False), (False, True)]
        assert "Version three" not in "".join(struck)
        plain = " ".join(text.split())
        assert "Replaced by second.reader" in plain
        assert ": Missed IRMA" in plain
        assert f"Replaced by {reviewer}" in plain
        assert ": Drusen, not exudates" in plain


def test_an_amendment_of_an_old_version_is_not_signed(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    sign_as(as_colleague, exam)
    hidden = fields(as_reviewer, exam)
    sign_as(as_colleague, exam, COLLEAGUES | {"amend_reason": "Typing error", "note": "Newest"})
    assert status(as_reviewer, exam, hidden)["code"] == "amended"
    form = READING | {"amend_reason": "My reason"} | hidden
    response = as_reviewer.post(url("exam-sign", exam.pk), form)
    assert response.status_code == 422
    assert "A colleague amended this review while you were reading" in text_of(response)
    assert "Newest" in text_of(response)
    assert Review.objects.count() == 2


def test_the_draft_of_an_amendment_comes_back(exam: Exam, as_reviewer: Client) -> None:
    as_reviewer.post(url("exam-sign", exam.pk), READING | {"note": "Signed note"})
    draft = READING | {"OD-verdict": "3", "note": "", "amend_reason": "Looked again"}
    assert save(as_reviewer, exam, draft, **fields(as_reviewer, exam)).json()["code"] == ""
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "OD-verdict=3" in checked(text)
    assert 'value="Looked again"' in text
    assert "Signed note</textarea>" not in text.replace("\n", "")
    assert "<details data-amendment open>" in " ".join(text.split())

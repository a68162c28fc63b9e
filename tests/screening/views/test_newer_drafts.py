"""A page that is older than the draft: release, take-over and log-in ask which entries to keep, and lose none."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, ExamLock, ReadingDraft, User
from tests.screening.views.pages import text_of, url
from tests.screening.views.test_drafts import READING, blind_exam, checked, exam, fields, save
from tests.screening.views.test_exam_locks import as_colleague, colleague, take_over

__all__ = ("as_colleague", "blind_exam", "colleague", "exam")  # fixtures
OLDER = READING | {"OD-verdict": "3", "note": "Seen on the ward"}
NEWER = {"OD-verdict": "1", "note": "Second look"}
QUESTION = "Choose which to keep."


@pytest.fixture
def old_page(exam: Exam, as_reviewer: Client) -> dict[str, str]:
    """The form of a page after which another tab saved a draft."""
    hidden = fields(as_reviewer, exam) | {"page_id": "older"}
    save(as_reviewer, exam, NEWER, **hidden | {"page_id": "newer"})
    return OLDER | hidden


def expect_question(response: Any) -> None:
    text = text_of(response)
    assert response.status_code == 409
    assert QUESTION in text
    assert 'name="draft_version" value="0"' in " ".join(text.split())
    assert "OD-verdict=3" in checked(text)
    assert "Seen on the ward" in text
    assert ReadingDraft.objects.get(entries__note="Second look").entries["OD-verdict"] == "1"


def test_a_release_from_an_older_tab_needs_a_choice_and_keeps_the_exam(
    exam: Exam, old_page: dict[str, str], as_reviewer: Client
) -> None:
    expect_question(as_reviewer.post(url("exam-release", exam.pk), old_page))
    assert ExamLock.objects.exists()
    assert save(as_reviewer, exam, old_page).status_code == 409  # also an automatic save asks
    assert save(as_reviewer, exam, old_page, keep="yes").json()["version"] == 2
    assert "The exam is free again." in text_of(
        as_reviewer.post(url("exam-release", exam.pk), old_page | {"draft_version": "2"}, follow=True)
    )
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "3"


def test_a_take_over_from_an_older_tab_needs_a_choice(
    exam: Exam, old_page: dict[str, str], as_reviewer: Client, as_colleague: Client, colleague: User
) -> None:
    take_over(as_colleague, exam)
    holder = {"holder": str(colleague.pk)}
    expect_question(as_reviewer.post(url("exam-take-over", exam.pk), old_page | holder))
    assert ExamLock.objects.get().holder == colleague


def test_a_signature_from_an_older_tab_after_a_take_over_needs_a_choice(
    exam: Exam, old_page: dict[str, str], as_reviewer: Client, as_colleague: Client
) -> None:
    take_over(as_colleague, exam)
    response = as_reviewer.post(url("exam-sign", exam.pk), old_page)
    assert response.status_code == 422
    assert QUESTION in text_of(response)
    assert response.context["draft_version"] == 0  # so that an automatic save does not replace the newer draft
    assert "OD-verdict=3" in checked(text_of(response))
    assert ReadingDraft.objects.get(entries__note="Second look").entries["OD-verdict"] == "1"


def test_a_refused_signature_is_taken_back_without_a_question(
    exam: Exam, as_reviewer: Client, as_colleague: Client, reviewer: User
) -> None:
    hidden = fields(as_reviewer, exam) | {"page_id": "first"}
    save(as_reviewer, exam, READING, **hidden)
    take_over(as_colleague, exam)
    refused = as_reviewer.post(url("exam-sign", exam.pk), OLDER | hidden | {"draft_version": "1"})
    shown = {"draft_version": str(refused.context["draft_version"]), "page_id": refused.context["page_id"]}
    assert "OD-verdict=3" in checked(text_of(take_over(as_reviewer, exam, **OLDER | hidden | shown)))
    assert ExamLock.objects.get().holder == reviewer


def test_a_form_kept_until_the_log_in_does_not_replace_a_newer_draft(
    exam: Exam, old_page: dict[str, str], as_reviewer: Client, reviewer: User
) -> None:
    client = Client()
    client.post(url("exam-release", exam.pk), old_page)
    client.force_login(reviewer)
    expect_question(client.get(url("exam-review", exam.pk)))

"""Pages about locks of exams: who reads, take-over, release, the next exam, photographs loaded in advance."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, Exam, ExamLock, FirstReading, ReadingDraft, Review, Site, User
from screening.services.exam_locks import take_exam
from screening.views.sessions import ACTIVE_AT
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, UserFactory
from tests.screening.views.pages import HTMX, JSON, page_text, text_of, url
from tests.screening.views.test_drafts import READING, blind_exam, checked, exam, fields, save

__all__ = ("blind_exam", "exam")  # fixtures
Verb = AuditEvent.Verb
PREFETCH, BY_BROWSER = {"X-Prefetch": "yes"}, {"Sec-Purpose": "prefetch"}
IN_ADVANCE = {"Sec-Purpose": "prefetch;prerender"}
CLEARED = '"cache", "prefetchCache", "prerenderCache"'


@pytest.fixture
def colleague(site: Site) -> User:
    user = UserFactory(username="second.reader", first_name="Ruth", last_name="Reed")
    return MembershipFactory(site=site, role="reviewer", user=user).user


@pytest.fixture
def as_colleague(colleague: User) -> Client:
    client = Client()
    client.force_login(colleague)
    return client


def take_over(client: Client, exam: Exam, **data: str) -> Any:
    holder = {"holder": str(ExamLock.objects.get(exam=exam).holder_id)}
    return client.post(url("exam-take-over", exam.pk), holder | data, follow=True)


def opening_of(page: Any) -> dict[str, str]:
    """What a page in advance sends when it is displayed."""
    version, token = page.context["panel"].page_version, page.context["form_token"]
    return {"page_version": version, "stage": "first_reading", "form_token": token, "shown": "yes"}


def fields_of(text: str) -> dict[str, str]:
    """Hidden fields of the reading form that the script compares."""
    found = re.findall(r'name="(page_version|base_review|stage)"\s+value="([^"]*)"', text)
    return dict(found)


def test_the_reading_page_takes_the_exam_and_a_colleague_sees_by_whom(
    exam: Exam, as_reviewer: Client, as_colleague: Client
) -> None:
    assert "data-eye-form" in page_text(as_colleague, "exam-review", exam.pk)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "<strong>Ruth Reed is reading this exam</strong>" in text
    assert "was last active at" in text
    assert "data-eye-form" not in text
    assert "screen/" not in text
    assert "Ruth Reed is reading it" in page_text(as_reviewer, "worklist")
    assert "Ruth Reed is reading it" in page_text(as_reviewer, "exam-detail", exam.pk)
    assert "You are reading it" in page_text(as_colleague, "worklist")


def test_a_take_over_keeps_the_draft_and_bars_the_former_reader_from_signing(
    exam: Exam, as_reviewer: Client, as_colleague: Client, reviewer: User
) -> None:
    hidden = fields(as_reviewer, exam)
    save(as_reviewer, exam, READING, **hidden)
    assert "data-eye-form" in text_of(take_over(as_colleague, exam))
    answer = save(as_reviewer, exam, {"OD-verdict": "3"}, **hidden | {"draft_version": "1"}).json()
    assert (answer["code"], answer["version"]) == ("taken", 2)
    assert "Ruth Reed is reading this exam" in answer["notice"]
    assert as_reviewer.get(url("exam-review-status", exam.pk), hidden, headers=JSON).json()["code"] == "taken"
    changed = READING | {"OS-verdict": "4", "OS-macular_oedema": "centre"} | hidden | {"draft_version": "2"}
    response = as_reviewer.post(url("exam-sign", exam.pk), changed)
    assert response.status_code == 422
    assert "Take it back" in text_of(response)
    assert not Review.objects.exists()
    assert ReadingDraft.objects.get(reviewer=reviewer).entries["OS-verdict"] == "4"
    text = text_of(take_over(as_reviewer, exam))
    assert {"OD-verdict=2", "OS-verdict=4"} <= checked(text)
    assert as_reviewer.post(url("exam-sign", exam.pk), changed).status_code == 302
    assert Review.objects.get().reviewer == reviewer


def test_entries_that_are_sent_with_a_take_over_are_kept(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    hidden = fields(as_reviewer, exam)
    take_over(as_colleague, exam)
    assert not ReadingDraft.objects.exclude(entries={}).exists()
    text = text_of(take_over(as_reviewer, exam, **READING, **hidden))
    assert {"OD-verdict=2", "OS-verdict=0"} <= checked(text)


def test_a_first_reading_by_the_former_reader_reveals_nothing(
    blind_exam: Exam, as_reviewer: Client, as_colleague: Client
) -> None:
    blind_exam.refresh_from_db()
    hidden = fields(as_reviewer, blind_exam)
    take_over(as_colleague, blind_exam)
    response = as_reviewer.post(url("exam-first-reading", blind_exam.pk), READING | hidden, headers=HTMX)
    assert response.status_code == 422
    assert "Take it back" in text_of(response)
    assert "Result of the model" not in text_of(response)
    assert not FirstReading.objects.exists()


def test_a_take_over_of_another_person_than_the_page_named_is_refused(
    exam: Exam, site: Site, as_reviewer: Client, colleague: User
) -> None:
    other = MembershipFactory(site=site, role="reviewer").user
    take_exam(exam=exam, by=colleague)
    response = as_reviewer.post(url("exam-take-over", exam.pk), {"holder": str(other.pk)}, follow=True)
    assert "Meanwhile another person has taken this exam." in text_of(response)
    for data in ({}, {"holder": "unknown"}):
        as_reviewer.post(url("exam-take-over", exam.pk), data)
    assert ExamLock.objects.get().holder == colleague


def test_activity_on_the_page_keeps_the_exam(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    hidden = fields(as_reviewer, exam)
    at = timezone.now() - timedelta(minutes=29)
    ExamLock.objects.update(taken_at=at, active_at=at, expires_at=at + timedelta(minutes=30))
    assert as_reviewer.get(url("exam-review-status", exam.pk), hidden, headers=JSON).json()["code"] == ""
    assert ExamLock.objects.get().active_at == at  # asking for news is no activity
    assert as_reviewer.post(url("exam-lock", exam.pk), hidden, headers=JSON).json()["code"] == ""
    assert ExamLock.objects.get().expires_at > timezone.now() + timedelta(minutes=29)
    take_over(as_colleague, exam)
    assert as_reviewer.post(url("exam-lock", exam.pk), hidden, headers=JSON).json()["code"] == "taken"


def test_a_released_exam_is_free_and_entries_are_kept(exam: Exam, as_reviewer: Client) -> None:
    hidden = fields(as_reviewer, exam)
    response = as_reviewer.post(url("exam-release", exam.pk), hidden, follow=True)
    assert "The exam is free again." in text_of(response)
    assert not ExamLock.objects.exists()
    assert not ReadingDraft.objects.exists()
    hidden = fields(as_reviewer, exam)
    as_reviewer.post(url("exam-release", exam.pk), READING | hidden)
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "2"
    assert not ExamLock.objects.exists()


def test_a_log_out_releases_the_exams(exam: Exam, as_reviewer: Client) -> None:
    fields(as_reviewer, exam)
    response = as_reviewer.post(url("logout"))
    assert not ExamLock.objects.exists()
    assert response["Clear-Site-Data"] == CLEARED
    assert AuditEvent.objects.filter(verb=Verb.EXAM_RELEASED).count() == 1


def test_the_next_exam_is_opened(exam: Exam, as_reviewer: Client, as_colleague: Client) -> None:
    for client in (as_colleague, as_reviewer):
        client.get("/")
    assert as_colleague.post(url("exam-next"))["Location"] == url("exam-review", exam.pk)
    response = as_reviewer.post(url("exam-next"), follow=True)
    assert "No exam is free" in text_of(response)


def test_photographs_in_advance_are_audited_and_viewed_only_when_shown(
    blind_exam: Exam, as_reviewer: Client, reviewer: User
) -> None:
    image = FundusImageFactory(exam=blind_exam, file=ContentFile(photo_bytes(), name="photo.jpg"))
    GradingFactory(image=image, is_done=True, quality_level="good")
    blind_exam.images.exclude(pk=image.pk).filter(laterality="OD").update(laterality="OS")
    response = as_reviewer.get(url("exam-prefetch"), headers=JSON)
    assert url("image-screen", image.pk) in response.json()["photos"]
    assert "no-store" in response["Cache-Control"]
    photo = as_reviewer.get(url("image-screen", image.pk), headers=PREFETCH)
    assert photo["Cache-Control"] == "private, max-age=600"
    mine = AuditEvent.objects.filter(actor=reviewer).exclude(verb=Verb.LOGGED_IN)
    assert set(mine.values_list("verb", flat=True)) == {Verb.EXAM_PREFETCHED, Verb.IMAGE_PREFETCHED}
    assert not ExamLock.objects.exists()
    for _ in range(2):
        as_reviewer.get(url("exam-review", blind_exam.pk))
        assert mine.filter(verb=Verb.IMAGE_VIEWED, object_id=str(image.pk)).count() == 1
    assert mine.filter(verb=Verb.IMAGE_VIEWED).count() == 1


def test_photographs_in_advance_are_those_of_the_next_free_exam(
    exam: Exam, site: Site, as_reviewer: Client, colleague: User
) -> None:
    later = ExamFactory(patient__site=site, is_submitted=True, due_at=timezone.now() + timedelta(days=90))
    image = FundusImageFactory(exam=later)
    take_exam(exam=exam, by=colleague)
    photos, page = [url("image-screen", image.pk)], url("exam-review", later.pk)
    answer = as_reviewer.get(url("exam-prefetch")).json()
    assert (answer["page"], answer["photos"], answer["lock"]) == (page, photos, url("exam-lock", later.pk))
    take_exam(exam=later, by=colleague)
    assert as_reviewer.get(url("exam-prefetch")).json() == {"page": "", "photos": [], "lock": "", "opening": {}}


def test_a_page_in_advance_is_hidden_and_takes_the_exam_when_it_is_displayed(
    blind_exam: Exam, as_reviewer: Client, reviewer: User
) -> None:
    as_reviewer.post(url("exam-next"))
    as_reviewer.post(url("exam-release", blind_exam.pk))  # leaves a message
    page = as_reviewer.get(url("exam-review", blind_exam.pk), headers=BY_BROWSER)
    assert 'class="is-wide is-reading is-in-advance"' in text_of(page)
    assert "Result of the model" not in text_of(page)
    assert "no-store" in page["Cache-Control"]
    assert not ExamLock.objects.exists()
    mine = AuditEvent.objects.filter(actor=reviewer, object_id=str(blind_exam.pk))
    assert list(mine.values_list("verb", flat=True)[:2]) == [Verb.EXAM_PREFETCHED, Verb.EXAM_RELEASED]
    answer = as_reviewer.post(url("exam-lock", blind_exam.pk), opening_of(page), headers=JSON)
    assert answer.json()["code"] == ""
    assert ExamLock.objects.get().holder == reviewer
    assert list(mine.values_list("verb", flat=True)[:2]) == [Verb.EXAM_VIEWED, Verb.EXAM_LOCKED]
    assert "The exam is free again." in page_text(as_reviewer, "worklist")


def test_a_page_in_advance_of_an_exam_that_was_taken_stays_hidden(
    exam: Exam, as_reviewer: Client, reviewer: User, colleague: User
) -> None:
    token = opening_of(as_reviewer.get(url("exam-review", exam.pk), headers=BY_BROWSER))["form_token"]
    take_exam(exam=exam, by=colleague)
    page = as_reviewer.get(url("exam-review", exam.pk), headers=BY_BROWSER)
    assert (page.status_code, page.content) == (409, b"")
    answer = as_reviewer.post(url("exam-lock", exam.pk), {"shown": "yes", "form_token": token}, headers=JSON)
    assert answer.json()["code"] == "taken"
    assert not AuditEvent.objects.filter(actor=reviewer, verb=Verb.EXAM_VIEWED).exists()


def test_the_list_of_addresses_opens_the_page_before_it_is_displayed(blind_exam: Exam, as_reviewer: Client) -> None:
    opening = as_reviewer.get(url("exam-prefetch"), headers=PREFETCH).json()["opening"]
    page = as_reviewer.get(url("exam-review", blind_exam.pk), headers=IN_ADVANCE)
    shown = fields_of(text_of(page))
    assert {name: opening[name] for name in ("page_version", "base_review", "stage")} == shown
    assert opening["form_token"].split(":")[0] == page.context["form_token"].split(":")[0]
    answer = as_reviewer.post(url("exam-lock", blind_exam.pk), opening | {"shown": "yes"}, headers=JSON)
    assert answer.json()["code"] == ""
    assert ExamLock.objects.exists()


def test_a_page_in_advance_is_not_shown_to_another_user(
    blind_exam: Exam, as_reviewer: Client, as_colleague: Client, colleague: User
) -> None:
    page = as_reviewer.get(url("exam-review", blind_exam.pk), headers=IN_ADVANCE)
    for posted in (opening_of(page), opening_of(page) | {"form_token": "forged"}):
        answer = as_colleague.post(url("exam-lock", blind_exam.pk), posted, headers=JSON)
        assert answer.json() == {"code": "other_user", "notice": ""}
    assert not ExamLock.objects.exists()
    assert not AuditEvent.objects.filter(actor=colleague, verb=Verb.EXAM_VIEWED).exists()


def test_what_a_page_rendered_in_advance_loads_is_viewed_only_when_it_is_shown(
    blind_exam: Exam, as_reviewer: Client, reviewer: User
) -> None:
    earlier = ExamFactory(patient=blind_exam.patient, is_submitted=True)
    files = [ContentFile(photo_bytes(seed=seed), name="photo.jpg") for seed in range(3)]
    images = [
        FundusImageFactory(exam=exam, file=file)
        for exam, file in zip([earlier, blind_exam, blind_exam], files, strict=True)
    ]
    page = as_reviewer.get(url("exam-review", blind_exam.pk), headers=IN_ADVANCE)
    as_reviewer.get(url("image-thumbnail", images[0].pk), headers=IN_ADVANCE)
    as_reviewer.get(url("image-tile", images[1].pk, 0, 0, 0), headers=IN_ADVANCE)
    of_images = AuditEvent.objects.filter(actor=reviewer, object_type="fundusimage").order_by("id")
    read = AuditEvent.objects.filter(actor=reviewer, verb__in=[Verb.RECORD_VIEWED, Verb.IMAGE_VIEWED])
    assert not read.exists()
    assert set(of_images.values_list("verb", "object_id")) == {
        (Verb.IMAGE_PREFETCHED, str(image.pk)) for image in images[:2]
    }
    as_reviewer.post(url("exam-lock", blind_exam.pk), opening_of(page), headers=JSON)
    viewed = of_images.filter(verb=Verb.IMAGE_VIEWED)
    assert set(viewed.values_list("object_id", flat=True)) == {str(image.pk) for image in images[:2]}
    as_reviewer.get(url("image-thumbnail", images[2].pk))
    assert read.filter(data__route="screening:image-thumbnail").exists()


@pytest.mark.parametrize("headers", [PREFETCH, BY_BROWSER, IN_ADVANCE])
def test_loading_in_advance_is_no_activity(headers: dict[str, str], exam: Exam, as_reviewer: Client) -> None:
    for path, is_activity in ((url("exam-prefetch"), False), (url("exam-review", exam.pk), False), ("/", True)):
        session = as_reviewer.session
        session[ACTIVE_AT] = before = int(time.time()) - 600
        session.save()
        as_reviewer.get(path, headers=headers if not is_activity else {})
        assert (as_reviewer.session[ACTIVE_AT] > before) is is_activity, path

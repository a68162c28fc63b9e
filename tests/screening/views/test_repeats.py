"""The pages of a repeat: the reader sees an unread exam, until the reading is stored."""

import re
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.models import AuditEvent, Exam, ExamLock, Patient, Reading, ReadingDraft, Repeat, Review, Site, User
from screening.policy.lesions import Lesion
from screening.policy.marks import Mark, MarkShape
from screening.services.readings import sign_findings
from screening.services.repeats import drop_ended_repeats
from screening.services.reviews import record_first_readings
from screening.services.structured_findings import StructuredFindings
from tests.builders import photo_bytes
from tests.screening.protocols import found, reader_of, waiting_exam
from tests.screening.repeats import Clock, blind_site, exam_before_a_repeat, take_repeat
from tests.screening.views.pages import HTMX, JSON, page_text, text_of, url

RIGHT, LEFT = Laterality
PREFETCH, IN_ADVANCE = {"X-Prefetch": "yes"}, {"Sec-Purpose": "prefetch;prerender"}
OPENED = {"shown": "yes", "is_next": "yes"}
SECRET, NOTE = "Naevus of the first time", "Note of the first time"
OWN = {f"{eye}-{name}": value for eye in Laterality for name, value in (("verdict", "1"), ("macular_oedema", "none"))}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def exam(site: Site, reviewer: User, clock: Clock) -> Exam:
    """Read blind and signed nine weeks ago; the model found grade 4 and 2."""
    exam = waiting_exam(blind_site(site), 4, 2)
    mark = Mark(exam.images.get(laterality=RIGHT).pk, Lesion.NEW_VESSELS_DISC, MarkShape.POINT, ((0.123, 0.456),), None)
    findings = found(3, 0, acuity="0.77")
    findings[RIGHT] = found(3, structured=StructuredFindings(other_disease=SECRET), marks=(mark,))[RIGHT]
    record_first_readings(exam=exam, findings=findings, by=reviewer)
    sign_findings(exam=exam, findings=findings, note=NOTE, by=reviewer)
    clock.move(weeks=9)
    exam.refresh_from_db()
    return exam


@pytest.fixture
def reader(reviewer: User, exam: Exam) -> Client:
    """The reader of the exam, logged in now."""
    client = Client()
    client.force_login(reviewer)
    return client


def reveals(text: str) -> list[str]:
    """What a page or answer contains of the earlier reading, its result, or the model."""
    signs = (
        SECRET,
        NOTE,
        "0.123",
        "0.77",
        "heatmap-",
        "p-referable",
        "ighest grade",
        "Signed by",
        "Sign the amendment",
    )
    return [sign for sign in signs if sign in text]


def without_ids(text: str) -> str:
    """The page without what differs between two exams: ids, tokens, names, photographs, times."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,64}", "id", text)
    text = re.sub(r'"form_token": "[^"]+"', "", text)
    text = re.sub(r'(value|content|nonce|data-[a-z-]+)="[^"]{20,}"', "", text)
    return re.sub(r"\d+", "0", text)


def test_its_page_is_that_of_an_unread_exam(exam: Exam, reader: Client, site: Site, reviewer: User) -> None:
    take_repeat(exam, reviewer)
    text = page_text(reader, "exam-review", exam.pk)
    assert 'value="first_reading"' in text
    assert "Return to the photographer" in text
    assert "Release this exam" in text
    assert not reveals(text)
    status = reader.get(url("exam-review-status", exam.pk), {"stage": "first_reading"}, headers=JSON)
    assert status.json() == {"code": "", "notice": ""}
    kept = reader.post(url("exam-lock", exam.pk), {"stage": "first_reading"}, headers=JSON)
    assert kept.json() == {"code": "", "notice": ""}
    for event in AuditEvent.objects.filter(actor=reviewer, object_id=str(exam.pk)).order_by("-id")[:2]:
        assert not reveals(str(event.data) + event.verb)


def test_its_page_differs_in_nothing_from_that_of_another_exam(
    exam: Exam, reader: Client, site: Site, reviewer: User
) -> None:
    take_repeat(exam, reviewer)
    other = waiting_exam(site, 4, 2)
    same = {name: getattr(exam.patient, name) for name in ("given_name", "family_name", "born_on", "sex")}
    Patient.objects.filter(pk=other.patient_id).update(**same)
    Exam.objects.filter(pk=other.pk).update(submitted_at=timezone.now())
    repeated, ordinary = (without_ids(page_text(reader, "exam-review", one.pk)) for one in (exam, other))
    lines = set(repeated.splitlines()) ^ set(ordinary.splitlines())
    assert not [line for line in lines if line.strip()]


def test_a_draft_is_kept_until_it_is_stored(exam: Exam, reader: Client, reviewer: User) -> None:
    take_repeat(exam, reviewer)
    data = {**OWN, "stage": "first_reading", "draft_version": "0"}
    answer = reader.post(url("exam-draft", exam.pk), data, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (200, "")
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "1"
    assert "checked" in page_text(reader, "exam-review", exam.pk)
    assert reader.post(url("exam-first-reading", exam.pk), OWN).status_code == 302
    assert not ReadingDraft.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_is_stored_and_a_message_informs_its_reader(
    exam: Exam, reader: Client, reviewer: User, headers: dict[str, str]
) -> None:
    take_repeat(exam, reviewer)
    refused = reader.post(url("exam-first-reading", exam.pk), {**OWN, "OD-verdict": ""}, headers=headers)
    assert (refused.status_code, reveals(text_of(refused))) == (422, [])
    before = Review.objects.get()
    answer = reader.post(url("exam-first-reading", exam.pk), OWN, headers=headers)
    assert url("exam-review", exam.pk) in {answer.headers.get("Location"), answer.headers.get("HX-Redirect")}
    text = page_text(reader, "exam-review", exam.pk)
    assert "Its result stays the same" in text
    assert SECRET in text
    assert Reading.objects.get().stage == "repeat"
    assert Review.objects.get() == before
    assert reader.post(url("exam-first-reading", exam.pk), OWN).status_code == 302, "sent twice"
    assert Reading.objects.count() == 1


def test_it_cannot_be_signed_released_or_returned(exam: Exam, reader: Client, reviewer: User, clock: Clock) -> None:
    take_repeat(exam, reviewer)
    answer = reader.post(url("exam-sign", exam.pk), OWN)
    assert (answer.status_code, answer.headers["Location"]) == (302, url("exam-review", exam.pk))
    for name, data in (("exam-return", {"reason": "Blurred"}), ("exam-release", {})):
        text = text_of(reader.post(url(name, exam.pk), data, follow=True))
        assert "is not stored. Its result stays" in text, name
        Repeat.objects.update(state="taken", dropped_reason="")
    exam.refresh_from_db()
    assert (exam.status, Review.objects.count()) == ("signed", 1)


def test_the_result_is_displayed_to_its_reader_and_drops_it(exam: Exam, reader: Client, reviewer: User) -> None:
    take_repeat(exam, reviewer)
    assert SECRET in page_text(reader, "exam-detail", exam.pk), "no page but the reading page hides anything"
    text = text_of(reader.post(url("exam-first-reading", exam.pk), OWN, follow=True))
    assert "what you entered is not stored" in text
    assert NOTE in text
    assert Repeat.objects.get().dropped_reason == "viewed"
    assert not Reading.objects.exists()


def test_nothing_is_hidden_from_others_or_on_other_pages(
    exam: Exam, reader: Client, reviewer: User, site: Site
) -> None:
    colleague = Client()
    colleague.force_login(reader_of(site))
    pages: list[tuple[str, tuple[Any, ...]]] = [
        ("results", ()),
        ("referrals", ()),
        ("patient-detail", (exam.patient_id,)),
        ("exam-detail", (exam.pk,)),
        ("exam-reports", (exam.pk,)),
    ]
    before = [reveals(page_text(client, name, *args)) for client in (reader, colleague) for name, args in pages]
    Repeat.objects.update(state="taken", taken_at=timezone.now())
    after = [reveals(page_text(client, name, *args)) for client in (reader, colleague) for name, args in pages]
    assert before == after
    assert NOTE in page_text(colleague, "exam-review", exam.pk)


def load_and_open_next(client: Client) -> list[tuple[Any, ...]]:
    """What the network shows of loading the next exam in advance and opening it, without ids, names and times."""
    found = client.get(url("exam-prefetch"), headers=JSON | PREFETCH)
    answer = found.json()
    responses = [
        found,
        *(client.get(photo, headers=PREFETCH) for photo in answer["photos"]),
        client.get(answer["page"], headers=IN_ADVANCE),
        client.post(answer["lock"], answer["opening"] | OPENED, headers=JSON),
        client.get(answer["page"]),
        client.post(answer["lock"], answer["opening"], headers=JSON),
    ]
    return [
        (
            one.status_code,
            sorted(one.headers),
            sorted(one.cookies),
            "" if one.headers["Content-Type"].startswith("image") else " ".join(without_ids(text_of(one)).split()),
        )
        for one in responses
    ]


def test_loading_it_in_advance_differs_in_nothing_from_loading_another_exam(
    exam: Exam, reader: Client, site: Site, reviewer: User
) -> None:
    """The files of its photographs, its person and its times are made those of the other exam."""
    other = exam_before_a_repeat(site)
    same = {name: getattr(exam.patient, name) for name in ("given_name", "family_name", "born_on", "sex")}
    Patient.objects.filter(pk=other.patient_id).update(**same)
    for one in (exam, other):
        for seed, image in enumerate(one.images.order_by("laterality")):
            image.file = ContentFile(photo_bytes(seed=seed), name="photo.jpg")
            image.save()
            image.gradings.all().delete()
    Exam.objects.filter(pk=other.pk).update(submitted_at=timezone.now())
    reader.get(url("worklist"))  # the first request of a session stores the time
    repeated = load_and_open_next(reader)
    row = Repeat.objects.get()
    assert (row.exam, row.state, ExamLock.objects.count()) == (exam, "taken", 0)
    ordinary = load_and_open_next(reader)
    assert ExamLock.objects.get().exam == other
    assert [one[0] for one in repeated] == [200] * 7
    for of_repeat, of_other in zip(repeated, ordinary, strict=True):
        assert of_repeat == of_other
    viewed = AuditEvent.objects.filter(actor=reviewer, verb=AuditEvent.Verb.IMAGE_VIEWED)
    assert {str(one.pk) for one in exam.images.all()} <= set(viewed.values_list("object_id", flat=True))
    assert reader.post(url("exam-first-reading", exam.pk), OWN).status_code == 302
    assert Reading.objects.get().stage == "repeat", "loading it in advance is no look that drops it"


def test_only_next_exam_opens_a_page_in_advance_as_a_repeat(exam: Exam, reader: Client, site: Site) -> None:
    exam_before_a_repeat(site)
    found_next = reader.get(url("exam-prefetch"), headers=JSON | PREFETCH).json()
    assert found_next["page"] == url("exam-review", exam.pk)
    assert reader.get(found_next["page"], headers=IN_ADVANCE).status_code == 200
    opened = reader.post(found_next["lock"], found_next["opening"] | {"shown": "yes"}, headers=JSON)
    assert opened.json() == {"code": "taken", "notice": ""}, "by a link: the page is loaded again"
    assert Repeat.objects.get().state == "waiting"
    assert SECRET in page_text(reader, "exam-review", exam.pk), "a look at the result"
    opened = reader.post(found_next["lock"], found_next["opening"] | OPENED, headers=JSON)
    assert opened.json()["code"] == "taken", "another exam is opened"
    assert reader.get(found_next["page"], headers=IN_ADVANCE).status_code == 409
    assert reader.get(url("exam-prefetch"), headers=JSON | PREFETCH).json()["page"] not in {"", found_next["page"]}
    drop_ended_repeats()
    assert Repeat.objects.get().dropped_reason == "viewed"

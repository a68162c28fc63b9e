"""Readings that other systems lost, signed twice, or showed to a second reader too early."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, ExamLock, ReadingDraft, Review, Site, User
from tests.cases.conftest import Record
from tests.screening.factories import ExamFactory, FundusImageFactory, MembershipFactory

READING = {"OD-verdict": "2", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none"}


@pytest.fixture(params=list(Site.ReadingMode))
def exam(request: pytest.FixtureRequest, site: Site) -> Exam:
    site.reading_mode = request.param
    site.save()
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


@pytest.fixture
def reader(client: Client, reviewer: User) -> Client:
    client.force_login(reviewer)
    return client


def hidden(page: Any) -> dict[str, str]:
    return {"page_version": page.context["panel"].page_version, "form_token": page.context["form_token"]}


@pytest.mark.parametrize("step", ["first-reading", "sign"])
def test_the_session_ends_while_reading(
    step: str, exam: Exam, reader: Client, reviewer: User, record_case: Record
) -> None:
    page = f"/exams/{exam.pk}/review/"
    form = READING | hidden(reader.get(page))
    del reader.cookies["sessionid"]
    login = reader.post(f"/exams/{exam.pk}/{step}/", form)["Location"]
    answer = reader.post(login, {"username": reviewer.username, "password": "correct horse battery"}, follow=True)
    assert (answer.status_code, answer.redirect_chain[-1][0]) == (200, page)
    assert READING.items() <= ReadingDraft.objects.get().entries.items()
    assert "Draft, not signed." in answer.content.decode()
    record_case(f"session over at {step}, {exam.site.reading_mode}", "the entries are back on the reading page")


def test_a_colleague_signs_while_reading(exam: Exam, reader: Client, record_case: Record) -> None:
    form = READING | hidden(reader.get(f"/exams/{exam.pk}/review/"))
    colleague = Client()
    colleague.force_login(MembershipFactory(site=exam.site, role="reviewer").user)
    colleague.post(f"/exams/{exam.pk}/take-over/", {"holder": ExamLock.objects.get(exam=exam).holder_id})
    for step in ("first-reading", "sign"):
        colleague.post(f"/exams/{exam.pk}/{step}/", READING | {"OD-verdict": "4", "note": "Rubeosis"})
    assert Review.objects.count() == 1
    answer = reader.post(f"/exams/{exam.pk}/draft/", form, headers={"Accept": "application/json"}).content.decode()
    assert "A colleague signed this exam while you were reading" in answer
    assert "Rubeosis" not in answer + reader.get(f"/exams/{exam.pk}/review/").content.decode()
    text = reader.post(f"/exams/{exam.pk}/first-reading/", form, follow=True).content.decode()
    assert "Rubeosis" in text
    assert text.count("Differs</span>") == 1
    record_case(
        f"colleague signs first, {exam.site.reading_mode}", "reported at once; the result after the own reading"
    )


def test_a_form_is_sent_three_times(exam: Exam, reader: Client, record_case: Record) -> None:
    form = READING | hidden(reader.get(f"/exams/{exam.pk}/review/"))
    if exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST:
        reader.post(f"/exams/{exam.pk}/first-reading/", form)
    answers = {reader.post(f"/exams/{exam.pk}/sign/", form)["Location"] for _ in range(3)}
    assert (answers, Review.objects.count()) == ({f"/exams/{exam.pk}/review/"}, 1)
    record_case(f"form sent three times, {exam.site.reading_mode}", "signed once, the same page")

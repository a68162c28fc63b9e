"""The panel withholds results from a superuser who reads blind and has yet to read the exam."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from screening.models import AuditEvent, Exam, FirstReading, Grading, ReadingDraft, Site, User
from screening.services.reviews import Finding, record_first_readings, sign_review
from tests.screening.eye_states import make_exam
from tests.screening.factories import MembershipFactory, UserFactory
from tests.screening.services.test_reviews import both

RESULTS = ("worst grade by the model", "worklist rank", "largest probability")


@pytest.fixture
def exam(site: Site) -> Exam:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    exam = make_exam(site, "grade 4", "grade 2")
    exam.refresh_from_db()
    return exam


@pytest.fixture
def chief(exam: Exam) -> User:
    """A superuser who reads."""
    user: User = UserFactory(is_superuser=True, is_staff=True)
    MembershipFactory(user=user, site=exam.site, role="reviewer")
    return user


@pytest.fixture
def panel(chief: User, client: Client) -> Client:
    client.force_login(chief)
    return client


def url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:screening_{model}_{page}", args=args)


def n_listed(panel: Client, model: str) -> int:
    return int(panel.get(url(model)).context["cl"].result_count)


def shows_results(panel: Client, exam: Exam) -> bool:
    text = panel.get(url("exam", "change", exam.pk)).content.decode().lower()
    assert any(label in text for label in RESULTS) == all(label in text for label in RESULTS)
    return RESULTS[0] in text


def test_gradings_of_an_unread_exam_are_not_listed(panel: Client, chief: User, exam: Exam) -> None:
    grading = Grading.objects.filter(grade=4).get()
    page = panel.get(url("grading"))
    assert page.context["cl"].result_count == 0
    assert "Results of exams that you have not read yet are not listed" in page.content.decode()
    assert panel.get(url("grading", "change", grading.pk)).status_code == 302  # not found, to the index
    assert not shows_results(panel, exam)
    record_first_readings(exam=exam, findings=both(0, 0), by=chief)
    assert n_listed(panel, "grading") == 2
    assert panel.get(url("grading", "change", grading.pk)).status_code == 200
    assert shows_results(panel, exam)


@pytest.mark.parametrize("query", ["grade=4", "grade__gte=3", "image__exam__worst_grade=4", "q=a"])
def test_filters_of_gradings_reveal_nothing(panel: Client, query: str) -> None:
    page = panel.get(f"{url('grading')}?{query}")
    assert page.status_code in {200, 302, 400}
    assert page.status_code != 200 or page.context["cl"].result_count == 0


@pytest.mark.parametrize("field", ["worst_grade", "worklist_rank", "grade_rank", "max_p_referable__gte"])
def test_exams_cannot_be_filtered_by_results(panel: Client, field: str) -> None:
    assert panel.get(f"{url('exam')}?{field}=1").status_code == 400


def test_a_superuser_who_does_not_read_sees_results(client: Client, exam: Exam) -> None:
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    assert n_listed(client, "grading") == 2
    assert shows_results(client, exam)


def test_what_a_colleague_found_is_withheld_from_a_late_reader(panel: Client, chief: User, exam: Exam) -> None:
    ReadingDraft.objects.create(
        exam=exam, reviewer=chief, reading_round=exam.reading_round, entries={}, updated_at=timezone.now()
    )
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    findings = {eye: Finding(laterality=eye, grade=one.grade) for eye, one in both(4, 4).items()}
    record_first_readings(exam=exam, findings=findings, by=colleague)
    sign_review(exam=exam, findings=findings, by=colleague)
    verbs = (AuditEvent.Verb.REVIEW_SIGNED, AuditEvent.Verb.REFERRAL_CHANGED)
    events = [AuditEvent.objects.get(verb=verb) for verb in verbs]
    models = ("review", "firstreading", "grading")
    assert [n_listed(panel, model) for model in models] == [0, 0, 0]
    assert [panel.get(url("auditevent", "change", one.pk)).status_code for one in events] == [302, 302]
    record_first_readings(exam=exam, findings=both(1, 1), by=chief)
    assert [n_listed(panel, model) for model in models] == [1, 4, 2]
    assert [panel.get(url("auditevent", "change", one.pk)).status_code for one in events] == [200, 200]
    assert FirstReading.objects.filter(not_blind_reason="").count() == 4

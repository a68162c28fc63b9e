"""Results that do not count any more, while the exam is read again."""

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Exam, Reading, Review, Site, User
from screening.selectors.exams import get_case
from screening.selectors.visible_readings import visible_readings
from screening.services.corrections import mark_in_error
from tests.screening.documents import DocumentFactory
from tests.screening.factories import MembershipFactory
from tests.screening.protocols import use_protocol
from tests.screening.views.pages import page_text, text_of, url
from tests.screening.views.test_drafts import READING, blind_exam, exam
from tests.screening.views.test_late_readers import COLLEAGUES, as_colleague, sign_as

__all__ = ("as_colleague", "blind_exam", "exam")  # fixtures
HIDDEN = "shown after you save your own reading"


@pytest.fixture
def retracted(blind_exam: Exam, as_colleague: Client, site: Site) -> Review:
    """The result of a colleague, which a manager retracted."""
    blind_exam.refresh_from_db()
    sign_as(as_colleague, blind_exam)
    review = Review.objects.get()
    mark_in_error(review=review, reason="Eyes swapped", by=MembershipFactory(site=site, role="manager").user)
    return review


def reveals(text: str) -> bool:
    """Whether a page or answer contains what was signed before."""
    return "secret note" in text or "Refer to a specialist" in text


def paths_of(review: Review) -> list[str]:
    exam = review.exam
    document = DocumentFactory(review=review, is_done=True)
    return [
        url("exam-detail", exam.pk),
        url("patient-detail", exam.patient_id),
        url("exam-review", exam.pk),
        url("exam-reports", exam.pk),
        url("document-file", document.pk),
        f"/api/v1/exams/{exam.pk}",
        f"/api/v1/reviews/{review.pk}",
        f"/api/v1/documents/{document.pk}",
    ]


def found_in(client: Client, paths: list[str]) -> list[bool]:
    """Of each path, whether it shows what was signed; a document if it is found."""
    answers = [client.get(path) for path in paths]
    return [
        one.status_code == 200 if "/documents/" in path else reveals(text_of(one))
        for path, one in zip(paths, answers, strict=True)
    ]


def test_the_next_reader_sees_a_retracted_result_after_the_own_reading(
    retracted: Review, as_reviewer: Client, as_colleague: Client, site: Site
) -> None:
    paths, exam = paths_of(retracted), retracted.exam
    as_colleague.get(url("worklist"))  # shows that the result was signed
    for reader in (as_reviewer, as_colleague):  # also who signed it reads it again without it
        assert not any(found_in(reader, paths[1:])), found_in(reader, paths)
    readers = [MembershipFactory(site=site, role="reviewer").user, retracted.reviewer]
    assert [get_case(user=reader, exam_id=exam.pk).reviews for reader in readers] == [(), ()]
    text = page_text(as_reviewer, "exam-detail", exam.pk)
    assert not reveals(text)
    assert HIDDEN in text
    assert "Eyes swapped" in text
    as_manager = Client()
    manager = MembershipFactory(site=site, role="manager").user
    assert get_case(user=manager, exam_id=exam.pk).reviews == (retracted,)
    as_manager.force_login(manager)
    assert found_in(as_manager, paths)[:2] == [True, True]
    assert HIDDEN not in page_text(as_manager, "exam-detail", exam.pk)
    as_reviewer.post(url("exam-first-reading", exam.pk), READING)
    found = found_in(as_reviewer, paths)
    assert [found[n] for n in (0, 1, 3, 4, 6, 7)] == [True] * 6
    assert HIDDEN not in page_text(as_reviewer, "exam-detail", exam.pk)


def test_a_reviewer_of_a_site_that_is_not_blind_sees_a_retracted_result(
    exam: Exam, as_reviewer: Client, as_colleague: Client, site: Site
) -> None:
    sign_as(as_colleague, exam)
    review = Review.objects.get()
    mark_in_error(review=review, reason="Eyes swapped", by=MembershipFactory(site=site, role="manager").user)
    assert reveals(page_text(as_reviewer, "exam-detail", exam.pk))


def test_a_reading_of_before_the_retraction_is_hidden_too(
    blind_exam: Exam, as_reviewer: Client, as_colleague: Client, reviewer: User, site: Site
) -> None:
    use_protocol(site)
    blind_exam.refresh_from_db()
    sign_as(as_colleague, blind_exam)
    first = Reading.objects.get()
    as_reviewer.get(url("exam-review", blind_exam.pk))
    as_reviewer.post(url("exam-first-reading", blind_exam.pk), COLLEAGUES)
    assert as_reviewer.post(url("exam-sign", blind_exam.pk), COLLEAGUES).status_code == 302
    assert first in visible_readings(reviewer)
    manager = MembershipFactory(site=site, role="manager").user
    mark_in_error(review=Review.objects.get(), reason="Eyes swapped", by=manager)
    for user in (reviewer, first.reader, manager):
        assert list(visible_readings(user)) == []


def test_the_panel_hides_the_outcome_in_the_audit_trail_too(
    retracted: Review, reviewer: User, as_reviewer: Client
) -> None:
    User.objects.filter(pk=reviewer.pk).update(is_staff=True, is_superuser=True)
    changelist = reverse("admin:screening_auditevent_changelist")
    signed = AuditEvent.objects.get(verb="review.signed")
    assert signed.pk not in {row.pk for row in as_reviewer.get(changelist).context["cl"].result_list}
    as_reviewer.post(url("exam-first-reading", retracted.exam_id), READING)
    assert signed.pk in {row.pk for row in as_reviewer.get(changelist).context["cl"].result_list}

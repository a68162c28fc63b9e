"""A reading that is not blind says so: on the page of its reader, beside the signature, in the API."""

import pytest
from django.test import Client

from screening.models import Exam, Review, User
from screening.services.api_keys import issue_key
from tests.screening.factories import MembershipFactory
from tests.screening.views.pages import HTMX, page_text, text_of, url
from tests.screening.views.test_drafts import READING, blind_exam, exam

__all__ = ("blind_exam", "exam")  # fixtures
SIGN = READING | {"OD-changed_reason": "", "note": ""}
REASON = "the reader had seen the model&#x27;s result in another role"


@pytest.mark.parametrize("is_blind", [True, False])
def test_a_reading_that_is_not_blind_is_marked(blind_exam: Exam, client: Client, is_blind: bool) -> None:
    user: User = MembershipFactory(site=blind_exam.site, role="manager").user
    client.force_login(user)
    if not is_blind:
        assert client.get(url("exam-detail", blind_exam.pk)).status_code == 200
    MembershipFactory(user=user, site=blind_exam.site, role="reviewer")
    blank_page = page_text(client, "exam-review", blind_exam.pk)
    assert "Not blind" not in blank_page
    text = text_of(client.post(url("exam-first-reading", blind_exam.pk), READING, headers=HTMX))
    assert (f"Not blind: {REASON}." in text) != is_blind
    assert client.post(url("exam-sign", blind_exam.pk), SIGN).status_code == 302
    for name, pk in (
        ("exam-review", blind_exam.pk),
        ("exam-detail", blind_exam.pk),
        ("patient-detail", blind_exam.patient_id),
    ):
        assert (f"not read blind: {REASON}" in page_text(client, name, pk)) != is_blind, name
    review = Review.objects.get()
    program = Client(headers={"Authorization": f"Bearer {issue_key(user=user, name='x', by=None)[1]}"})
    expected = "" if is_blind else "other_role"
    assert program.get(f"/api/v1/reviews/{review.pk}").json()["not_blind_reason"] == expected
    assert program.get(f"/api/v1/exams/{blind_exam.pk}").json()["review"]["not_blind_reason"] == expected

"""The arrangement of the reading page is remembered for its user."""

import pytest
from django.test import Client

from screening.models import ReadingLayout, Site, User
from tests.screening.factories import ExamFactory, FundusImageFactory, MembershipFactory, PatientFactory
from tests.screening.views.pages import page_text, url


def frame(client: Client, site: Site) -> str:
    """The classes of the page's frame."""
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    FundusImageFactory(exam=exam)
    text = page_text(client, "exam-review", exam.pk)
    start = text.index('class="reading-frame')
    return text[start : text.index(">", start)]


def test_a_layout_is_remembered_for_one_user(site: Site, reviewer: User, as_reviewer: Client) -> None:
    assert 'view-eyes"' in frame(as_reviewer, site)
    for view in ("fields", "visits"):
        assert as_reviewer.post(url("reading-layout"), {"view": view, "shows_strip": "on"}).status_code == 204
    shown = frame(as_reviewer, site)
    assert 'view-visits is-panel-hidden"' in shown
    colleague = Client()
    colleague.force_login(MembershipFactory(site=site, role="reviewer").user)
    assert 'view-eyes"' in frame(colleague, site)
    assert [layout.user for layout in ReadingLayout.objects.all()] == [reviewer]


@pytest.mark.parametrize("view", ["", "none"])
def test_an_unknown_view_is_refused(view: str, as_reviewer: Client, reviewer: User) -> None:
    assert as_reviewer.post(url("reading-layout"), {"view": view}).status_code == 400
    assert not ReadingLayout.objects.exists()

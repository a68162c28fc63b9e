"""The statement of intended use once a session, and the report of an action with the form that undoes it."""

import re

from django.test import Client

from ml.vocabulary import Laterality
from screening.models import Exam, Site
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import HTMX, page_text, text_of, url

ASIDE = 'aria-label="Intended use"'


def press_undo(client: Client, text: str) -> str:
    """Send the form of the page's message; the page that follows."""
    form = re.search(r'class="message is-success is-toast">.*?action="([^"]+)"(.*?)</form>', text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="(\w*)"', form[2]))
    fields.pop("csrfmiddlewaretoken", None)
    return text_of(client.post(form[1], fields, follow=True))


def test_the_intended_use_is_stated_once_a_session_and_in_the_footer(as_photographer: Client) -> None:
    assert ASIDE in page_text(as_photographer, "patient-list")
    response = as_photographer.post(url("intended-use"), headers={"Referer": "http://testserver/patients/"})
    assert response["Location"] == "/patients/"
    text = page_text(as_photographer, "patient-list")
    assert ASIDE not in text
    assert "Not a certified medical device" in text
    as_photographer.post(url("logout"))
    assert ASIDE not in page_text(as_photographer, "login")


def test_the_statement_disappears_without_a_reload(as_photographer: Client) -> None:
    response = as_photographer.post(url("intended-use"), headers=HTMX)
    assert (response.status_code, response.content) == (200, b"")


def test_an_absent_eye_is_undone(as_photographer: Client, site: Site) -> None:
    exam = ExamFactory(patient__site=site)
    address = url("exam-absent", exam.pk, Laterality.LEFT)
    text = text_of(as_photographer.post(address, {"reason": "prosthesis"}, follow=True))
    exam.refresh_from_db()
    assert exam.absent_reason(Laterality.LEFT) == "prosthesis"
    text = press_undo(as_photographer, text)
    exam.refresh_from_db()
    assert exam.absent_reason(Laterality.LEFT) == ""
    assert "Undo" not in text


def test_the_change_of_an_eye_is_undone(as_photographer: Client, site: Site) -> None:
    image = GradingFactory(image=FundusImageFactory(exam=ExamFactory(patient__site=site)), is_done=True).image
    before = image.laterality
    other = Laterality.LEFT if before == Laterality.RIGHT else Laterality.RIGHT
    text = text_of(as_photographer.post(url("image-laterality", image.pk), {"laterality": other}, follow=True))
    image.refresh_from_db()
    assert image.laterality == other
    press_undo(as_photographer, text)
    image.refresh_from_db()
    assert image.laterality == before


def test_a_submission_is_undone(as_photographer: Client, site: Site) -> None:
    exam = ExamFactory(patient__site=site)
    for eye in Laterality:
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    text = text_of(as_photographer.post(url("exam-submit", exam.pk), {"confirm": "fields_missing"}, follow=True))
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED
    press_undo(as_photographer, text)
    exam.refresh_from_db()
    assert exam.status == Exam.Status.OPEN

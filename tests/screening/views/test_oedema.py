"""The model's suspicion of macular oedema on the pages: where it is shown, and to whom it is hidden."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from screening.models import Exam, FirstReading, Grading, Site
from screening.services.worklist import update_worklist_order
from tests.builders import FakeGrader, make_prediction, oedema_values, photo_bytes
from tests.screening.eye_states import make_exam, oedema_columns, replace_oedema
from tests.screening.views.pages import HTMX, page_text, text_of, url

SUSPECTED, NOT_SUSPECTED, HIDDEN_MACULA = (
    f"grade 0, {text}" for text in ("suspicion of oedema", "no suspicion of oedema", "macula not visible")
)
SUSPICION = "Suspicion of macular oedema in the photograph"
NO_SUSPICION = "No suspicion of macular oedema in the photograph"
NOT_ASSESSED = "Macular oedema: not assessed, the macula is not visible"
CANNOT_EXCLUDE = "A colour photograph cannot exclude macular oedema."
NO_OEDEMA_MODEL = "It does not assess macular oedema."
READING = {
    "OD-verdict": "0", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none",
}  # fmt: skip

CASES = [
    (SUSPECTED, SUSPICION, 2),
    (NOT_SUSPECTED, NO_SUSPICION, 0),
    (HIDDEN_MACULA, NOT_ASSESSED, 0),
]


def set_mode(site: Site, mode: Site.ReadingMode) -> None:
    site.reading_mode = mode
    site.save()


@pytest.mark.parametrize("page", ["exam-detail", "exam-status", "exam-review"])
@pytest.mark.parametrize(("state", "label", "n_maps"), CASES)
def test_a_page_shows_the_suspicion_and_that_nothing_is_excluded(
    page: str, state: str, label: str, n_maps: int, site: Site, as_reviewer: Client
) -> None:
    text = page_text(as_reviewer, page, make_exam(site, state, state).pk)
    chips = re.findall(r'<span class="chip[^"]*">([^<]*)</span>', text)
    assert chips.count(label) == 2
    assert text.count(f'<p class="small">{CANNOT_EXCLUDE}</p>') == 2
    assert text.count('id="oedema-heatmap-') == n_maps
    assert NO_OEDEMA_MODEL not in text
    assert ("90 %" in text) is (state == SUSPECTED)


@pytest.mark.parametrize("page", ["exam-detail", "exam-review"])
def test_a_model_of_grades_alone_shows_no_oedema(page: str, site: Site, as_reviewer: Client) -> None:
    text = page_text(as_reviewer, page, make_exam(site, "grade 2", "grade 0").pk)
    assert text.count(NO_OEDEMA_MODEL) == 2
    assert "uspicion of macular oedema" not in text
    assert NOT_ASSESSED not in text
    assert "oedema-heatmap-" not in text
    assert 'data-viewer-do="layer-oedema"' not in text


def test_no_suspicion_is_never_shown_as_a_negative(site: Site, as_reviewer: Client) -> None:
    text = page_text(as_reviewer, "exam-review", make_exam(site, NOT_SUSPECTED, NOT_SUSPECTED).pk)
    assert f'<span class="chip">{NO_SUSPICION}</span>' in text
    text = page_text(as_reviewer, "exam-review", make_exam(site, SUSPECTED, SUSPECTED).pk)
    assert '<span class="chip is-fine">' not in text  # the grade alone is no negative either


@pytest.mark.parametrize(("state", "label", "n_maps"), CASES)
def test_a_photograph_that_is_not_stored_has_the_suspicion(
    state: str, label: str, n_maps: int, fake_grader: FakeGrader, as_photographer: Client
) -> None:
    p = {SUSPECTED: 0.9, NOT_SUSPECTED: 0.1, HIDDEN_MACULA: None}[state]
    fake_grader.prediction = make_prediction(0, **oedema_values(p))
    file = SimpleUploadedFile("photo.jpg", photo_bytes())
    text = text_of(as_photographer.post(url("predict"), {"photo": file}))
    assert f">{label}</span>" in text
    assert CANNOT_EXCLUDE in text
    is_suspected = n_maps > 0
    assert ('id="oedema-heatmap-prediction"' in text) is is_suspected
    assert ('data-viewer-do="layer-oedema"' in text) is is_suspected


def test_the_live_region_has_the_suspicion(site: Site, as_photographer: Client) -> None:
    exam = make_exam(site, SUSPECTED, "grade 0")
    text = as_photographer.get(url("exam-status", exam.pk)).context["announcement"]
    assert f"Right eye: No apparent retinopathy. {SUSPICION}. {CANNOT_EXCLUDE} Left eye:" in text


def test_the_answer_of_the_reviewer_is_required_and_never_selected(site: Site, as_reviewer: Client) -> None:
    for mode in Site.ReadingMode:
        set_mode(site, mode)
        exam = make_exam(site, SUSPECTED, NOT_SUSPECTED)
        response = as_reviewer.get(url("exam-review", exam.pk))
        for form in response.context["panel"].forms.values():
            assert "macular_oedema" not in form.initial
        assert not re.search(r'name="O[DS]-macular_oedema"[^>]*checked', text_of(response))
        refused = as_reviewer.post(url("exam-sign", exam.pk), READING | {"OD-macular_oedema": ""}, headers=HTMX)
        assert "Choose your own answer for macular oedema." in text_of(refused)


@pytest.mark.parametrize(("state", "verdict"), [(SUSPECTED, None), (NOT_SUSPECTED, "0")])
def test_triage_preselects_no_grade_of_an_eye_with_suspected_oedema(
    state: str, verdict: str | None, site: Site, as_reviewer: Client
) -> None:
    set_mode(site, Site.ReadingMode.TRIAGE)
    response = as_reviewer.get(url("exam-review", make_exam(site, state, "grade 0").pk))
    assert response.context["panel"].forms["OD"].initial.get("verdict") == verdict


def store_oedema(exam: Exam, p: float | None) -> None:
    """Replace what the gradings of an exam have about macular oedema; None: their model does not assess it."""
    gradings = Grading.objects.filter(image__exam=exam)
    with transaction.atomic():
        replace_oedema(gradings, p)
        if p is None:
            gradings.update(**dict.fromkeys(oedema_columns(0.5)))
        update_worklist_order(exam)


def without_tokens(text: str) -> str:
    """A page without what differs at each request."""
    names = r'csrfmiddlewaretoken"\s*value|page_id"\s*value|form_token"\s*value|data-seconds-left'
    return re.sub(rf'({names})="[^"]*"', "", text)


BLIND_PAGES = ["exam-detail", "exam-status", "exam-review", "worklist", "patient-detail"]


@pytest.mark.parametrize("page", BLIND_PAGES)
def test_a_page_of_a_blind_reader_does_not_depend_on_the_suspicion(page: str, site: Site, as_reviewer: Client) -> None:
    set_mode(site, Site.ReadingMode.BLIND_FIRST)
    make_exam(site, "grade 1, referable by the operating point", "grade 0")
    exam = make_exam(site, "grade 0", "grade 0")
    make_exam(site, "grade 0, usable with limits", "waiting")
    subject = {"worklist": (), "patient-detail": (exam.patient.pk,)}.get(page, (exam.pk,))
    texts = set()
    for p in (None, 0.1, 0.9):
        store_oedema(exam, p)
        texts.add(without_tokens(page_text(as_reviewer, page, *subject)))
    assert len(texts) == 1
    (text,) = texts
    assert "uspicion of macular oedema" not in text
    assert "oedema-heatmap-" not in text


@pytest.mark.parametrize(
    "query",
    [
        *({"model": value} for value in ("all", "sight", "referable", "limited", "routine")),
        *({"quality": value} for value in ("ungraded", "pending", "limited", "good")),
        *({"sort": value} for value in ("band", "due", "waiting", "patient")),
    ],
    ids=lambda query: "".join(f"{name} {value}" for name, value in query.items()),
)
def test_no_filter_and_no_order_of_a_blind_reader_depends_on_the_suspicion(
    query: dict[str, str], site: Site, as_reviewer: Client
) -> None:
    set_mode(site, Site.ReadingMode.BLIND_FIRST)
    exam = make_exam(site, "grade 0", "ungradable")
    make_exam(site, "grade 0", "waiting")
    found = set()
    for p in (0.1, 0.9):
        with transaction.atomic():
            replace_oedema(Grading.objects.filter(image__exam=exam, is_gradable=True), p)
            update_worklist_order(exam)
        found.add(without_tokens(page_text(as_reviewer, "worklist", **query)))
    assert len(found) == 1


def test_the_own_reading_of_both_eyes_reveals_the_suspicion(site: Site, as_reviewer: Client) -> None:
    set_mode(site, Site.ReadingMode.BLIND_FIRST)
    exam = make_exam(site, SUSPECTED, NOT_SUSPECTED)
    assert SUSPICION not in page_text(as_reviewer, "exam-review", exam.pk)
    response = as_reviewer.post(url("exam-first-reading", exam.pk), READING, headers=HTMX)
    text = text_of(response)
    assert FirstReading.objects.filter(exam=exam, macular_oedema="none").count() == 2
    assert (text.count(f">{SUSPICION}</span>"), text.count(f">{NO_SUSPICION}</span>")) == (1, 1)
    assert text.count('id="oedema-heatmap-') == 1
    assert 'data-viewer-do="layer-oedema"' in text


def test_a_photographer_sees_it_at_a_blind_first_site_only_if_the_site_allows_it(
    site: Site, as_photographer: Client
) -> None:
    set_mode(site, Site.ReadingMode.BLIND_FIRST)
    exam = make_exam(site, SUSPECTED, "grade 0")
    assert SUSPICION not in page_text(as_photographer, "exam-detail", exam.pk)
    Site.objects.filter(pk=site.pk).update(photographers_see_grades=True)
    assert SUSPICION in page_text(as_photographer, "exam-detail", exam.pk)


def rows(client: Client, **query: str) -> Any:
    return client.get(url("worklist"), query).context["page"].object_list


CHIP = '<span class="chip is-refer">Suspicion of macular oedema</span>'


def test_the_worklist_has_a_chip_and_reads_a_suspicion_as_referable(site: Site, as_reviewer: Client) -> None:
    calm, suspected = make_exam(site, NOT_SUSPECTED, "grade 0"), make_exam(site, SUSPECTED, "grade 0")
    assert list(rows(as_reviewer)) == [suspected, calm]
    assert list(rows(as_reviewer, model="referable")) == [suspected]
    assert list(rows(as_reviewer, model="routine")) == [calm]
    text = page_text(as_reviewer, "worklist")
    assert text.count(CHIP) == 1
    assert text.count('<span class="chip is-refer">Referable</span>') == 1


def test_the_worklist_of_a_blind_reader_has_neither_chip_nor_rank(site: Site, as_reviewer: Client) -> None:
    set_mode(site, Site.ReadingMode.BLIND_FIRST)
    calm, suspected = make_exam(site, NOT_SUSPECTED, "grade 0"), make_exam(site, SUSPECTED, "grade 0")
    assert list(rows(as_reviewer)) == [calm, suspected]
    assert "Suspicion of macular oedema" not in page_text(as_reviewer, "worklist")

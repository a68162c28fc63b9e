"""The model's result in one line for each eye, above the outcome preview: when it is shown, and what it states."""

import re

import pytest
from django.test import Client

from screening.models import Exam, Grading, Site
from tests.screening.eye_states import make_exam, oedema_columns, replace_oedema
from tests.screening.factories import FundusImageFactory, GradingFactory
from tests.screening.views.pages import HTMX, page_text, text_of, url

TABLE, HEAT_TOOLS = 'class="model-brief"', "data-viewer-hold"
READING = {
    "OD-verdict": "0", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none",
}  # fmt: skip


def lines(text: str) -> list[str]:
    """The rows of the table as text."""
    table = text.split(TABLE)[1].split("</table>", maxsplit=1)[0]
    rows = [re.sub(r"<[^>]+>", " ", row) for row in table.split("<tr>")[2:]]
    return [" ".join(row.split()) for row in rows]


@pytest.fixture
def exam(site: Site) -> Exam:
    return make_exam(site, "grade 2", "grade 0")


@pytest.fixture
def blind_exam(exam: Exam) -> Exam:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    return exam


def test_it_comes_with_the_tools_of_the_heatmap_after_the_first_reading(blind_exam: Exam, as_reviewer: Client) -> None:
    hidden = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert (hidden.count(TABLE), hidden.count(HEAT_TOOLS)) == (0, 0)
    refused = as_reviewer.post(url("exam-first-reading", blind_exam.pk), {"OD-verdict": "0"}, headers=HTMX)
    assert (text_of(refused).count(TABLE), text_of(refused).count(HEAT_TOOLS)) == (0, 0)
    panel = text_of(as_reviewer.post(url("exam-first-reading", blind_exam.pk), READING, headers=HTMX))
    assert panel.count(TABLE) == 1
    assert '<span id="heat-tools" hx-swap-oob="innerHTML">' in panel
    assert panel.index(TABLE) < panel.index('id="outcome-preview"')
    whole = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert (whole.count(TABLE), whole.count(HEAT_TOOLS)) == (1, panel.count(HEAT_TOOLS))
    as_reviewer.post(url("exam-sign", blind_exam.pk), READING)
    signed = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert signed.index("Signed review") < signed.index(TABLE)


def test_it_has_grade_probability_and_operating_point(exam: Exam, as_reviewer: Client) -> None:
    Grading.objects.filter(image__laterality="OD").update(p_referable=0.91, operating_point=0.3, is_referable=True)
    Grading.objects.filter(image__laterality="OS").update(p_referable=0.02, operating_point=0.3, is_referable=False)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "Referable ≥ 30 %" in text
    assert lines(text) == ["OD Moderate ◆ flagged: 91 % not assessed", "OS None 2 % not assessed"]
    Grading.objects.filter(image__laterality="OS").update(operating_point=0.1)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "Referable ≥" not in text
    assert lines(text)[1] == "OS None 2 % (≥ 10 %) not assessed"


def test_a_suspicion_in_any_photograph_of_the_eye_counts(exam: Exam, as_reviewer: Client) -> None:
    replace_oedema(Grading.objects.all(), 0.1)
    second = FundusImageFactory(exam=exam, laterality="OD")
    GradingFactory(image=second, is_done=True, grade=0, **oedema_columns(0.9))
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert [re.sub(".* %", "", line) for line in lines(text)] == [" ◆ suspected", " not suspected"]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("waiting", "OD Not graded yet"),
        ("ungradable", "OD Not gradable"),
        ("failed", "OD Grading failed"),
    ],
)
def test_a_photograph_without_a_grade_never_has_a_probability(
    state: str, line: str, site: Site, as_reviewer: Client
) -> None:
    text = page_text(as_reviewer, "exam-review", make_exam(site, state, "grade 0").pk)
    assert lines(text)[0] == line


def test_a_limited_negative_is_stated(site: Site, as_reviewer: Client) -> None:
    exam = make_exam(site, "grade 0, usable with limits", "grade 0")
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert lines(text)[1] == "Not flagged, small lesions could be missed"

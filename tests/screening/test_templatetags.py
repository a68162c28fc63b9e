"""Filters and tags of the templates."""

import datetime
import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from ml.bundle import default_bundle, read_bundle
from ml.prediction import Prediction
from ml.vocabulary import QualityLevel, ServedModel
from screening.labels.quality import LIMITATION
from screening.labels.thresholds import validation_text
from screening.models import Grading
from screening.policy import Outcome
from screening.templatetags.gradings import ResultState, grade_bars, percent, result_state, risk_bar, short_result
from screening.templatetags.reviews import reason_label, recall_label, referral_time, waiting_time
from tests.builders import make_prediction

DONE: dict[str, Any] = {"status": "done", "is_gradable": True, "grade": 2, "p_referable": 0.81}
USABLE = QualityLevel.USABLE
RECALL_ON = datetime.date(2027, 5, 23)


@pytest.mark.parametrize(
    ("result", "state", "text"),
    [
        (None, ResultState.MISSING, "Not graded yet"),
        (Grading(status="queued"), ResultState.QUEUED, "Not graded yet"),
        (Grading(status="running"), ResultState.RUNNING, "Not graded yet"),
        (Grading(status="failed"), ResultState.FAILED, "Grading failed"),
        (Grading(status="done", is_gradable=False), ResultState.UNGRADABLE, "Not gradable"),
        (Grading(**DONE), ResultState.GRADED, "Moderate non-proliferative, 81 %"),
        (make_prediction(None), ResultState.UNGRADABLE, "Not gradable"),
        (make_prediction(0, quality_level=USABLE), ResultState.GRADED, f"No apparent retinopathy, 15 %. {LIMITATION}"),
        (make_prediction(4, quality_level=USABLE), ResultState.GRADED, "Proliferative, 90 %"),
        (make_prediction(4), ResultState.GRADED, "Proliferative, 90 %"),
    ],
)
def test_a_result_has_one_state(result: Grading | Prediction | None, state: ResultState, text: str) -> None:
    assert result_state(result) is state
    hidden = ResultState.HIDDEN if state is ResultState.GRADED else state
    assert result_state(result, shows_model=False) is hidden
    assert short_result(result) == text


@pytest.mark.parametrize(("p_severe", "p_proliferative", "is_explained"), [(0.33, 0.38, False), (0.11, 0.6, True)])
def test_a_grade_that_the_bars_do_not_suggest_is_explained(
    p_severe: float, p_proliferative: float, is_explained: bool
) -> None:
    grading = Grading(grade=3, probabilities=[0.01, 0.02, 0.26, p_severe, p_proliferative])
    html = render_to_string("screening/gradings/_bars.html", grade_bars(grading))
    assert ("It can differ from what the bars suggest" in html) is is_explained


def test_the_bar_of_referable_is_the_headline() -> None:
    grading = Grading(grade=2, probabilities=[0.06, 0.11, 0.66, 0.12, 0.05], p_referable=0.83)
    bars = grade_bars(grading)["bars"]
    assert [(str(label), percent(p), is_top) for label, p, is_top in bars] == [
        ("At least mild", "94 %", False),
        ("At least moderate: referable", percent(grading.p_referable), True),
        ("At least severe", "17 %", False),
        ("Proliferative", "5 %", False),
    ]


@pytest.mark.usefixtures("workers_version")
def test_the_setting_is_explained_by_the_validation_of_its_bundle() -> None:
    bundle = read_bundle(default_bundle(ServedModel.ACCURATE))
    assert bundle.roc is not None
    text = validation_text(bundle.roc, bundle.operating_point)
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    sources = bundle.roc.sources.values()
    i = bundle.roc.thresholds.index(bundle.operating_point)
    n_referable = sum(source.n_referable for source in sources)
    n_flagged = sum((source.sensitivity[i][0] or 0) * source.n_referable for source in sources)
    assert numbers[:3] == [int(100 * n_flagged / n_referable), 100, n_referable]
    assert validation_text(bundle.roc, 0.0123456) == ""
    grading = Grading(grade=2, probabilities=[0, 0, 1, 0, 0], p_referable=1.0, model_version=bundle.model_version)
    assert risk_bar(grading, bundle.operating_point)["texts"] == [text]
    assert risk_bar(Grading(grade=2, model_version="other"), bundle.operating_point)["texts"] == []


@pytest.mark.parametrize(
    ("fraction", "text"), [(None, "–"), (0.0, "< 1 %"), (0.014, "1 %"), (0.986, "99 %"), (1.0, "> 99 %")]
)
def test_a_percentage_is_never_certain(fraction: float | None, text: str) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("outcome", "time", "recall"),
    [
        (Outcome.REFER, "within 3 to 6 months", "next screening 23 May 2027"),
        (Outcome.REFER_URGENT, "", "next screening 23 May 2027"),
        (Outcome.RESCREEN, "", "due 23 May 2027"),
    ],
)
def test_the_recall_of_a_referred_patient_is_not_an_appointment(outcome: Outcome, time: str, recall: str) -> None:
    assert (referral_time(outcome), recall_label(RECALL_ON, outcome)) == (time, recall)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("right_grade_2", "Right eye: Moderate non-proliferative"),
        ("left_ungradable", "Left eye: ungradable, which never counts as negative"),
        ("left_oedema_unknown", "Left eye: macular oedema could not be assessed"),
        ("right_oedema_centre", "Right eye: macular oedema: Present, centre involved"),
    ],
)
def test_a_reason_has_a_text(reason: str, text: str) -> None:
    assert reason_label(reason) == text


@pytest.mark.parametrize(("minutes", "text"), [(-1, "0 min"), (5, "5 min"), (200, "3 h"), (48 * 60, "2 days")])
def test_a_waiting_time_has_one_unit(minutes: int, text: str) -> None:
    assert waiting_time(timezone.now() - datetime.timedelta(minutes=minutes)) == text

"""The words and drawings for a result: they say no more than is true."""

import datetime

import pytest
from django.template.loader import render_to_string

from screening.models import Grading
from screening.policy import Outcome
from screening.templatetags.gradings import grade_bars
from screening.templatetags.reviews import due_label, how_soon

RECALL = datetime.date(2027, 5, 23)
EXPLANATION = "it can differ from the longest bar"


@pytest.mark.parametrize(
    ("probabilities", "is_explained"),
    [([0.01, 0.02, 0.26, 0.33, 0.38], True), ([0.01, 0.02, 0.2, 0.67, 0.1], False)],
)
def test_a_grade_that_is_not_the_longest_bar_is_explained(probabilities: list[float], is_explained: bool) -> None:
    grading = Grading(grade=3, probabilities=probabilities)
    drawn = render_to_string("screening/gradings/_bars.html", grade_bars(grading))
    assert (EXPLANATION in drawn) is is_explained


def test_the_date_of_the_next_screening_does_not_read_as_the_specialists_appointment() -> None:
    assert how_soon(Outcome.REFER) == "within 3 to 6 months"
    assert due_label(RECALL, Outcome.REFER) == "next screening 2027-05-23"
    assert due_label(RECALL, Outcome.REFER_URGENT) == "next screening 2027-05-23"


def test_a_patient_who_is_not_referred_is_due_on_the_date() -> None:
    assert how_soon(Outcome.RESCREEN) == ""
    assert due_label(RECALL, Outcome.RESCREEN) == "due 2027-05-23"

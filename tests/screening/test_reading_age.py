"""Built-in letters to patients are for a reading age of about 11 years, by the formula of Flesch and Kincaid.

Kincaid, Fishburne, Rogers and Chissom, Derivation of new readability formulas for Navy enlisted personnel (1975):
grade = 0.39 tokens a sentence + 11.8 syllables a token - 15.59. Grade 6 of schools in the USA is age 11 to 12.
"""

import re

import pytest

from screening.labels.letters import built_in_letter
from screening.policy.letters import LetterKind
from screening.policy.message_texts import fill
from screening.policy.outcome_tables import Outcome

MAX_GRADE = 6.0
TO_PATIENTS = [kind for kind in LetterKind if kind not in {LetterKind.DOCTOR, LetterKind.HOSPITAL}]
VALUES = {"visit_day": "20 May", "recall_day": "20 May", "phone": "us", "name": "Ada", "site": "Harbour Clinic"}


def count_syllables(token: str) -> int:
    """Groups of vowels, without a silent e at the end."""
    groups = re.findall(r"[aeiouy]+", token.lower())
    is_silent = re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$", token.lower()) is not None and len(groups) > 1
    return max(1, len(groups) - is_silent)


def school_grade(text: str) -> float:
    """The Flesch-Kincaid grade of a text."""
    sentences = [one for one in re.split(r"[.!?:\n]+", text) if re.search(r"\w", one)]
    tokens = re.findall(r"[A-Za-z']+", text)
    n_syllables = sum(count_syllables(token) for token in tokens)
    return 0.39 * len(tokens) / len(sentences) + 11.8 * n_syllables / len(tokens) - 15.59


@pytest.mark.parametrize("kind", TO_PATIENTS)
def test_a_letter_to_a_patient_is_easy_to_read(kind: LetterKind) -> None:
    subject, body = built_in_letter(kind)
    paragraphs = fill(body, VALUES).split("\n\n")[1:-1]  # without greeting and signature
    assert school_grade(" ".join(paragraphs)) <= MAX_GRADE
    assert len(subject) < 40


def test_the_grade_of_a_difficult_text_is_high() -> None:
    assert school_grade("We take photos of your eyes. It does not hurt.") < 2
    difficult = "Proliferative retinopathy necessitates immediate ophthalmological evaluation and photocoagulation."
    assert school_grade(difficult) > 20
    assert [count_syllables(token) for token in ("photo", "make", "looked", "table", "needed")] == [2, 1, 1, 2, 2]
    assert len(TO_PATIENTS) == len(Outcome) + 3

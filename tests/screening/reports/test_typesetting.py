"""Line breaks and directions of writing in documents."""

import re

import pytest
from django.utils import translation

from screening.labels.directions import direction_of, isolated
from screening.labels.sentences import joined
from screening.models import Document, Site
from screening.reports.clinical import report_of
from screening.reports.letters import OF_RECALL, OF_REVIEW, letter_of
from screening.reports.typesetting import NO_BREAK_SPACE, unbroken, without_bad_breaks
from tests.screening.reports.golden import GOLDEN, addressed

ISOLATE = re.compile("[\u2066\u2067][^\u2066-\u2069]*\u2069")
ARABIC, LATIN_TEXT = re.compile("[\u0600-\u06ff]"), re.compile(r"[A-Za-z]{2,}[ -][A-Za-z]|\d[/+]\d|\+\d")
"""What Arabic around it puts in another order: several words of Latin letters, fractions, telephone numbers."""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "on 20 Nov 2026, 15:04 or Nov. 2026", "on 20_Nov_2026, 15:04_or Nov._2026"),
        ("en", "call +44 20 7946 0000 within 6 months", "call +44_20_7946_0000_within 6_months"),
        ("fr", "Résultat : vu le 1 mars 2026 ; « oui »", "Résultat_: vu le 1_mars_2026_; «_oui_»"),
        ("de", "am 20. November 2026 13:05, 0,30 logMAR", "am 20._November_2026_13:05, 0,30_logMAR"),
        ("es", "el 20 de noviembre de 2026 a las 13:05", "el 20_de_noviembre_de_2026 a_las_13:05"),
        ("ar", "في 20 نوفمبر 2026 100 %", "في 20_نوفمبر_2026_100_%"),
    ],
)
def test_no_line_ends_within_a_date_or_after_a_number(language: str, text: str, expected: str) -> None:
    with translation.override(language):
        assert unbroken(text).replace(NO_BREAK_SPACE, "_") == expected


def test_spaces_at_the_end_of_paragraphs_and_in_attributes() -> None:
    page = '<title>3 eyes</title><body><p class="1 a">\n Signed 2 h\n <strong> now </strong>\n</p> <td>1 </td>'
    expected = f'<p class="1 a">\n Signed 2{NO_BREAK_SPACE}h\n <strong> now</strong></p> <td>1</td>'
    assert without_bad_breaks(page) == f"<title>3 eyes</title><body>{expected}"


@pytest.mark.parametrize(
    ("language", "value", "expected"),
    [
        ("en", "Ada Byron", "Ada Byron"),
        ("fr", "محمد", "\u2067محمد\u2069"),
        ("ar", "محمد", "\u2067محمد\u2069"),
        ("ar", "Ada Byron", "\u2066Ada Byron\u2069"),
        ("ar", "+44 20", "\u2066+44 20\u2069"),
        ("ar", "", ""),
    ],
)
def test_a_value_of_the_other_direction_is_isolated(language: str, value: str, expected: str) -> None:
    with translation.override(language):
        assert isolated(value) == expected
    assert direction_of("7 شارع") == "rtl"
    assert direction_of("7") == "ltr"


def test_items_are_joined_without_empty_ones() -> None:
    with translation.override("fr"):
        assert joined(["Drusen; ", "", "Naevus"]) == f"Drusen{NO_BREAK_SPACE}; Naevus"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["arabic", "longest"])
def test_values_in_arabic_documents_are_isolated(name: str, site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(message_phone="+44 20 7946 0000", message_language="ar")
    review = addressed(GOLDEN[name](Site.objects.get(pk=site.pk)), language="ar")
    with translation.override("ar"):
        document = Document(site=review.exam.site, created_at=review.signed_at)
        pages = [report_of(review.pk, has_heatmaps=True).html(document)]
        kinds = {*OF_REVIEW, *OF_RECALL}
        pages += [letter_of(review.exam.patient, review.pk, kind).html() for kind in kinds]
    for text in re.findall(r">([^<>]+)<", "".join(pages)):
        assert not (ARABIC.search(text) and LATIN_TEXT.search(ISOLATE.sub("", ISOLATE.sub("", text)))), text

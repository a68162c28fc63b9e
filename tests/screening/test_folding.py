"""Folding of names and numbers."""

import pytest

from screening.folding import (
    are_same_names,
    clean_name,
    clean_number,
    fold_name,
    fold_number,
    index_terms,
    is_scientific,
    is_writable,
    name_key,
)

SAME_NAMES = [
    ("capitals and accents", "müller", "MÜLLER"),
    ("without accents", "muller", "Müller"),
    ("a decomposed letter", "Mu\u0308ller", "Müller"),
    ("full width letters", "Ｍüller", "Müller"),
    ("sharp s", "strasse", "STRAßE"),
    ("letters with a stroke", "lodz dang", "Łódź Đặng"),
    ("kinds of apostrophes", "o'connor", "O’Connor"),
    ("no apostrophe", "oconnor", "O´Connor"),
    ("kinds of hyphens", "al-khatib", "Al‑Khatib"),
    ("Turkish dotted I", "ibrahim", "İBRAHİM"),
    ("Turkish dotless i", "isik", "IŞIK"),
    ("Turkish dotless i in lower case", "ışık", "IŞIK"),
    ("Greek final sigma", "παπαδοπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ"),
    ("Greek accents", "Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ"),
    ("Cyrillic capitals", "иванов", "ИВАНОВ"),
    ("Cyrillic io", "ёлкин", "Елкин"),
    ("Persian with and without a joiner", "علی\u200cرضا", "علیرضا"),
    ("Arabic and Persian yeh and kaf", "راميك", "رامیک"),
    ("Arabic vowel points", "مُحَمَّد", "محمد"),
    ("Hindi with a joiner", "क्\u200dष", "क्ष"),
    ("Sinhala with a joiner", "ශ්\u200dරී", "ශ්රී"),
    ("half width katakana", "ﾔﾏﾀﾞ", "ヤマダ"),
]
OTHER_NAMES = [
    ("Hindi vowels", "कि", "कु"),
    ("voiced katakana", "ガ", "カ"),
    ("Thai tones", "ขา", "ข่า"),
    ("letters", "Meier", "Meyer"),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME_NAMES], ids=[row[0] for row in SAME_NAMES])
def test_names_are_the_same_after_folding(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other) != ""


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in OTHER_NAMES], ids=[row[0] for row in OTHER_NAMES])
def test_names_stay_different(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


def test_the_key_of_a_name_ignores_order_and_fields() -> None:
    keys = {
        name_key("Al-Khatib", "Ada"),
        name_key("ada", "AL KHATIB"),
        name_key("Ada Al Khatib"),
        name_key("", "Ada Al-Khatib"),
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (("Al-Khatib", "Ada"), ("AL KHATIB", "ada"), True),
        (("Al-Khatib", "Ada"), ("Alkhatib", "Ada"), True),
        (("Al-Khatib", "Ada"), ("Ada", "Alkhatib"), True),
        (("O’Connor", "Anna-Maria"), ("O Connor", "Annamaria"), True),
        (("Al-Khatib", "Ada"), ("Ada Al Khatib", ""), True),
        (("Lee", "Amy"), ("Lee", "May"), False),
        (("Byron", "Ada"), ("Byron", ""), False),
        (("-", ""), ("", "-"), False),
        (("Byron", "Ada King"), ("King Byron", "Ada"), True),
    ],
)
def test_names_are_compared_without_order_and_hyphens(
    one: tuple[str, str], other: tuple[str, str], is_same: bool
) -> None:
    assert are_same_names(one, other) is are_same_names(other, one) is is_same
    assert not is_same or name_key(*one) == name_key(*other)


@pytest.mark.parametrize(
    ("names", "terms"),
    [
        (("Al-Khatib", "Ada"), {"al", "khatib", "alkhatib", "ada"}),
        (("O’Connor", ""), {"o", "connor", "oconnor"}),
        (("van der Berg", ""), {"van", "der", "berg", "vanderberg"}),
        (("می\u200cخواهم", ""), {"می", "خواهم", "میخواهم"}),
        (("---", ""), set()),
    ],
)
def test_a_compound_has_its_components_and_the_whole(names: tuple[str, str], terms: set[str]) -> None:
    assert index_terms(*names) == terms


def test_folded_texts_fit_their_columns() -> None:
    assert len(fold_name("ﷺ" * 80)) == 200
    assert all(len(term) <= 200 for term in index_terms("ﷺ" * 80))


@pytest.mark.parametrize(
    "typed",
    [
        "a-12 3",
        "A-123",
        "Ａ－１２３",
        "A–123",
        "A−123",
        "A\u00a0-\u2009123",
        "a\u00ad123",
        "\u200eA-123",
        "A-١٢٣",
        "Aー123",
    ],
)
def test_numbers_are_the_same_after_folding(typed: str) -> None:
    assert fold_number(typed) == "a-123"


def test_zeros_and_the_position_of_dashes_count() -> None:
    numbers = ["1-23", "12-3", "123", "0123", "00123", "1.23", "123-", "-123"]
    assert len({fold_number(number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("number", "is_damaged"),
    [
        ("1.2E+10", True), ("1,23457E+11", True), ("4e9", True), ("１.２Ｅ＋１０", True), ("1.2E−05", True),
        ("12E", False), ("E12", False), ("1.2", False), ("A1E5", False), ("1.2E+", False),
    ],
)  # fmt: skip
def test_scientific_notation_is_recognised(number: str, is_damaged: bool) -> None:
    assert is_scientific(number) is is_damaged


@pytest.mark.parametrize(
    ("pasted", "cleaned"),
    [
        ("Ada\u00a0 Byron", "Ada Byron"),
        ("\u3000Ada\u202f\u2009Byron ", "Ada Byron"),
        ("\u200eAda\u200f \u202aByron\u202c\ufeff", "Ada Byron"),
        ("\u2067Ada\u2069", "Ada"),
        ("By\u00adron\u200b", "Byron"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("മോഹന്\u200d", "മോഹന്\u200d"),
        ("\u200c\u200dAda", "Ada"),
        ("\u200c \u200d", ""),
        ("\u3164", ""),
        ("By\nron", "By\nron"),
    ],
)
def test_a_pasted_name_is_cleaned(pasted: str, cleaned: str) -> None:
    assert clean_name(pasted) == cleaned


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [(" 007 ", "007"), ("A–1 2", "A–1 2"), ("a\u00a012", "a\u00a012"), ("\u200e12\u200f", "12"), ("１２", "１２")],
)
def test_a_number_stays_as_typed(typed: str, cleaned: str) -> None:
    assert clean_number(typed) == cleaned


def test_joiners_are_allowed_in_names_only() -> None:
    assert is_writable("می\u200cخواهم", allows_joiners=True)
    assert not is_writable("1\u200c2", allows_joiners=False)
    for char in "\x00\t\n\x7f\u2028\u0600\ue000\ufdd0\ud800":
        assert not is_writable(f"A{char}da", allows_joiners=True)

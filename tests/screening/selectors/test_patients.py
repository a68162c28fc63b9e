"""Finding patients, and their history, in a constant number of queries."""

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import Http404

from screening.models import Patient, Site, User
from screening.selectors import find_patients, get_patient_history, list_patients, patients, search_patients
from screening.selectors.bookings import BookingFilters, list_bookings
from screening.services.patients import update_patient
from tests.screening.factories import (
    BookingFactory,
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    PatientFactory,
    ReviewFactory,
)


def numbers_found(user: User, text: str) -> set[str]:
    """Numbers of the patients whom a search finds by their ids, and as well by comparing each row of the list."""
    found = {patient.mrn for patient in search_patients(user=user, text=text)}
    with pytest.MonkeyPatch.context() as changes:
        changes.setattr(patients, "MAX_FOUND_IDS", -1)
        assert {patient.mrn for patient in search_patients(user=user, text=text)} == found
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"A100", "A200", "B300"}),
        ("a1", {"A100"}),
        ("A", set()),
        ("A10", {"A100"}),
        ("100", set()),
        ("byr", {"A100"}),
        ("ada BYRON", {"A100"}),
        ("Byron, Ada", {"A100"}),
        ("grace", {"A200", "B300"}),
        ("hopper grace", {"A200"}),
        ("hopper ada", set()),
        ("lovelace", {"A100"}),
        ("_", set()),
        ("%", set()),
    ],
)
def test_patients_are_found_by_the_start_of_number_or_names(
    site: Site, photographer: User, text: str, found: set[str]
) -> None:
    PatientFactory(site=site, mrn="A100", given_name="Ada", family_name="Byron Lovelace")
    PatientFactory(site=site, mrn="A200", given_name="Grace", family_name="Hopper")
    PatientFactory(site=site, mrn="B300", given_name="Grace", family_name="Kelly")
    assert numbers_found(photographer, text) == found


PEOPLE = {
    "1": ("Müller", "Ada"),
    "2": ("O’Connor", "Sinéad"),
    "3": ("Al-Khatib", "Omar"),
    "4": ("Alkhatib", "Huda"),
    "5": ("IŞIK", "İbrahim"),
    "6": ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "Γιώργος"),
    "7": ("ИВАНОВ", "Пётр"),
    "8": ("", "علی\u200cرضا"),
    "9": ("Mu\u0308nch", ""),
    "A–10 1": ("van der Berg", "Jan"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("müller", {"1"}), ("MULLER", {"1"}), ("mu\u0308ller", {"1"}), ("mü", {"1", "9"}), ("ller", set()),
        ("o'connor", {"2"}), ("oconnor", {"2"}), ("connor", {"2"}), ("O’Con sinead", {"2"}),
        ("khatib", {"3"}), ("al-khatib", {"3", "4"}), ("al khatib", {"3"}), ("alkhatib", {"3", "4"}),
        ("khatib, omar", {"3"}), ("khatib huda", set()), ("ışık", {"5"}), ("isik", {"5"}), ("IBRAHIM", {"5"}),
        ("παπαδοπουλος", {"6"}), ("παπαδόπουλος γιωργος", {"6"}), ("иванов", {"7"}), ("петр", {"7"}),
        ("علیرضا", {"8"}), ("علي\u200cرضا", {"8"}), ("رضا", {"8"}), ("munch", {"9"}),
        ("a-101", {"A–10 1"}), ("Ａ-10", {"A–10 1"}), ("der berg", {"A–10 1"}), ("vanderb", {"A–10 1"}), ("0", set()),
    ],
)  # fmt: skip
def test_a_search_folds_names_and_numbers(site: Site, photographer: User, text: str, found: set[str]) -> None:
    for mrn, (family_name, given_name) in PEOPLE.items():
        PatientFactory(site=site, mrn=mrn, family_name=family_name, given_name=given_name)
    assert numbers_found(photographer, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("b", set()), ("B.", set()), ("b a", set()), ("м", set()), ("ع", set()), ("क", set()), ("5", {"5"}),
        ("x", {"X"}), ("by", {"1"}), ("by a", {"1"}), ("by o", set()), ("a-b", set()), ("一", {"2"}), ("金", {"3"}),
        ("김", {"4"}), ("林 一", set()), ("い", {"6"}),
    ],
)  # fmt: skip
def test_one_letter_finds_exact_numbers_and_one_chinese_character_names(
    site: Site, photographer: User, text: str, found: set[str]
) -> None:
    people = {
        "1": ("Byron", "Ada"),
        "2": ("一郎", ""),
        "3": ("金", "子"),
        "4": ("김", "민준"),
        "5": ("Миронов", "عمر"),
        "51": ("कमला", ""),
        "X": ("5", "Xi"),
        "6": ("いとう", ""),
    }
    for mrn, (family_name, given_name) in people.items():
        PatientFactory(site=site, mrn=mrn, family_name=family_name, given_name=given_name)
    assert numbers_found(photographer, text) == found


def test_an_exact_number_is_not_folded_and_a_prefix_is(site: Site, photographer: User) -> None:
    for mrn in ("A-1", "a-1", "A–1", "A1", "0A-1"):
        PatientFactory(site=site, mrn=mrn)

    def find(mrn: str, *, is_prefix: bool = False) -> set[str]:
        return {patient.mrn for patient in find_patients(user=photographer, mrn=mrn, is_prefix=is_prefix)}

    assert find("A-1") == find("\u200eA-1") == {"A-1"}
    assert find("a −1", is_prefix=True) == {"A-1", "a-1", "A–1"}


def test_a_search_uses_the_indexes(site: Site, photographer: User) -> None:
    for number in range(20):
        PatientFactory(site=site, mrn=f"A-{number}")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # else a table of one page is read in full
    number_plan = find_patients(user=photographer, mrn="A-1", is_prefix=True).explain()
    assert "patient_by_mrn" in number_plan
    plan = patients.matching_ids("al-khatib ada").explain()
    assert "search_term" in plan
    assert "patient_by_mrn" in plan
    if connection.vendor == "postgresql":
        assert "Seq Scan on screening_patient" not in plan
        assert re.search(r"Index Cond: .*term ~>=~ 'alkhatib'", plan)
    else:
        assert "SCAN screening_patientsearchterm" not in plan
        assert re.search(r"search_term \(term>\? AND term<\?\)", plan)


def test_a_search_for_many_people_compares_rows(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads no list of all whom it finds; a merged record finds the one into which it was merged."""
    kept = PatientFactory(site=site, family_name="Byron", mrn="1")
    PatientFactory(site=site, family_name="Bycroft", mrn="2", merged_into=kept)
    BookingFactory(patient=kept)
    monkeypatch.setattr(patients, "MAX_FOUND_IDS", 0)
    for text in ("by", "byc", "1", "2"):
        condition = str(search_patients(user=photographer, text=text).query)
        assert ("UNION" in condition) is False
        assert numbers_found(photographer, text) == {"1"}
        found = list_bookings(user=photographer, site=site, filters=BookingFilters(), text=text)
        assert [booking.patient for booking in found] == [kept]


def test_a_search_is_two_queries(
    site: Site, photographer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    PatientFactory.create_batch(5, site=site)
    with django_assert_max_num_queries(2):
        found = list(search_patients(user=photographer, text="Byron, Ada"))
    assert len(found) == 5


def test_patients_are_in_the_order_of_folded_names_then_of_birth(site: Site, photographer: User) -> None:
    births: list[dict[str, Any]] = [
        {"born_on": ""}, {"born_on": "1960"}, {"born_on": "1960-05"}, {"born_on": "1960-05-17"},
        {"born_on": "", "estimated_age": 60, "age_estimated_on": datetime.date(2026, 1, 1)}, {"born_on": "1970-01-01"},
    ]  # fmt: skip
    same_name = [PatientFactory(site=site, family_name="Öz", given_name="", **birth) for birth in reversed(births)]
    first = PatientFactory(site=site, family_name="ozan", given_name="")
    last = PatientFactory(site=site, family_name="Zorn", given_name="")
    assert list(list_patients(user=photographer)) == [*reversed(same_name), first, last]


def test_the_terms_of_a_name_follow_its_changes(site: Site, photographer: User) -> None:
    patient = PatientFactory(site=site, family_name="Byron")
    update_patient(patient=patient, family_name="Lovelace", by=photographer)
    assert list(search_patients(user=photographer, text="byron")) == []
    assert list(search_patients(user=photographer, text="ada lovelace")) == [patient]


def test_patients_of_another_site_are_not_found(site: Site, photographer: User, outsider: User) -> None:
    patient = PatientFactory(site=site)
    assert list(list_patients(user=photographer)) == [patient]
    assert list(list_patients(user=outsider)) == []
    assert list(search_patients(user=outsider, text=patient.mrn)) == []
    with pytest.raises(Http404):
        get_patient_history(user=outsider, patient_id=patient.pk)


def make_history(site: Site, n_exams: int) -> Patient:
    patient = PatientFactory(site=site)
    for _ in range(n_exams):
        exam = ExamFactory(patient=patient, is_submitted=True)
        FundusImageFactory(exam=exam)
        signed = EyeFindingFactory(review=ReviewFactory(exam=exam)).review
        EyeFindingFactory(review=ReviewFactory(exam=exam, amends=signed, amend_reason="Typing error"), grade=2)
    return patient


@pytest.mark.parametrize("n_exams", [1, 6])
def test_a_history_takes_the_same_queries_for_any_length(
    site: Site, photographer: User, n_exams: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    patient = make_history(site, n_exams)
    with django_assert_max_num_queries(11):
        history = get_patient_history(user=photographer, patient_id=patient.pk)
        current = [list(exam.current_reviews) for exam in history.exams]  # type: ignore[attr-defined]
        grades = [[finding.grade for finding in reviews[0].findings.all()] for reviews in current]
    assert [len(reviews) for reviews in current] == [1] * n_exams
    assert grades == [[2]] * n_exams


def test_the_list_of_patients_is_one_query(
    site: Site, photographer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        make_history(site, 2)
    with django_assert_max_num_queries(1):
        rows = [(patient.site.name, patient.n_exams) for patient in list_patients(user=photographer)]  # type: ignore[attr-defined]
    assert rows == [("Harbour Clinic", 2)] * 4

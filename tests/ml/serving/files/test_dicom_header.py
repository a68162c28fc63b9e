"""What the header of a DICOM file states."""

import datetime
from typing import Any

import pytest

from ml.serving.files.cleaning import clean_file
from ml.serving.files.dicom_header import DicomHeader
from ml.vocabulary import Laterality
from tests.dicom_files import coded_field, dicom_jpeg


def header_of(**values: Any) -> DicomHeader:
    found = clean_file(dicom_jpeg(**values)).dicom
    assert found is not None
    return found


def test_the_header_states_person_and_photograph() -> None:
    found = header_of(PupilDilated="YES", RelativeImagePositionCodeSequence=coded_field("111901"))
    assert found == DicomHeader(
        patient_id="MRN-1",
        patient_name="Lovelace^Ada",
        birth_date="1960-12-10",
        laterality=Laterality.RIGHT,
        field="disc",
        pupil="dilated",
        captured_on=datetime.date(2026, 3, 1),
        camera="Optics Camera 45",
        study_uid="2.25.2",
        instance_uid="2.25.1",
    )


EYES = [
    ({"ImageLaterality": "L"}, Laterality.LEFT),
    ({"ImageLaterality": None, "Laterality": "L"}, Laterality.LEFT),
    ({"ImageLaterality": "R", "Laterality": "R"}, Laterality.RIGHT),
    ({"ImageLaterality": None}, None),
    ({"ImageLaterality": ""}, None),
    ({"ImageLaterality": "B"}, None),
    ({"ImageLaterality": "B", "Laterality": "L"}, None),
    ({"ImageLaterality": "R", "Laterality": "L"}, None),
    ({"ImageLaterality": "U"}, None),
    ({"ImageLaterality": ["R", "L"]}, None),
]


@pytest.mark.parametrize(("values", "eye"), EYES)
def test_an_eye_is_stated_only_if_it_is_clear(values: dict[str, str | None], eye: Laterality | None) -> None:
    assert header_of(**values).laterality is eye


BIRTHS = [("19600517", "1960-05-17"), ("1960", "1960"), ("196005", "1960-05"), ("1960.05.17", "1960-05-17")]
BIRTHS += [("19600000", "1960"), ("19601350", ""), ("unknown", ""), ("", "")]
BIRTHS += [("00000000", ""), ("0000", ""), ("00001210", ""), ("19600010", "1960")]


@pytest.mark.parametrize(("in_file", "read"), BIRTHS)
def test_birth_dates_may_be_incomplete(in_file: str, read: str) -> None:
    assert header_of(PatientBirthDate=in_file).birth_date == read


def test_names_are_read_in_each_script() -> None:
    found = header_of(PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう")
    assert found.name_groups == [("Yamada", "Tarou"), ("山田", "太郎"), ("やまだ", "たろう")]
    assert header_of(PatientName="علی\u200cرضا^امیر").name_groups == [("علیرضا", "امیر")]
    assert header_of(PatientName="Lovelace^Ada^King^Dr").name_groups == [("Lovelace", "Ada King")]
    assert header_of(PatientName=None).name_groups == []


def test_several_values_are_not_taken_for_one() -> None:
    found = header_of(PatientID=["MRN-1", "MRN-2"], PatientName=["Lovelace^Ada", "Hopper^Grace"])
    assert (found.patient_id, found.patient_name) == ("MRN-1\\MRN-2", "Lovelace^Ada\\Hopper^Grace")


def test_names_of_other_character_sets_are_read() -> None:
    found = header_of(SpecificCharacterSet="ISO_IR 144", PatientName="Люкceмбypг^Роза")
    assert found.name_groups == [("Люкceмбypг", "Роза")]


UIDS = [("1.2.840.10008.1", "1.2.840.10008.1"), ("1.2." + "9" * 60, "1.2." + "9" * 60), ("1.2." + "9" * 61, "")]
UIDS += [("Lovelace", ""), ("1", ""), ("", "")]


@pytest.mark.parametrize(("in_file", "read"), UIDS)
def test_a_text_that_is_no_uid_is_left_out(in_file: str, read: str) -> None:
    assert header_of(StudyInstanceUID=in_file).study_uid == read


DATES = [
    ({"AcquisitionDateTime": "20260228101500.00+0200"}, datetime.date(2026, 2, 28)),
    ({"AcquisitionDate": "20260227"}, datetime.date(2026, 2, 27)),
    ({"ContentDate": None, "StudyDate": "2026.02.26"}, datetime.date(2026, 2, 26)),
    ({"ContentDate": "20261399", "StudyDate": "20260226"}, datetime.date(2026, 2, 26)),
    ({"ContentDate": None}, None),
    ({"AcquisitionDateTime": "202611"}, datetime.date(2026, 3, 1)),
    ({"AcquisitionDateTime": "2026112", "ContentDate": None}, None),
    ({"AcquisitionDateTime": "2026-02-28 10:15"}, datetime.date(2026, 2, 28)),
]


@pytest.mark.parametrize(("values", "day"), DATES)
def test_the_day_is_that_of_the_photograph(values: dict[str, str | None], day: datetime.date | None) -> None:
    assert header_of(**values).captured_on == day

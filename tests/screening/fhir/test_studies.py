"""ImagingStudy: the photographs of an exam."""

from screening.models import Exam
from tests.screening.factories import FundusImageFactory
from tests.screening.fhir.client import FhirClient


def test_a_study_has_a_series_for_each_eye(client: FhirClient, exam: Exam) -> None:
    FundusImageFactory(exam=exam, laterality="OS", field="disc", captured_on="2020-02-29", captured_on_source="exif")
    study = client.get(f"ImagingStudy/{exam.pk}").body
    assert [(one["laterality"]["code"], one["numberOfInstances"]) for one in study["series"]] == [("OD", 1), ("OS", 2)]
    assert {one["sopClass"]["code"] for series in study["series"] for one in series["instance"]} == {
        "urn:oid:1.2.840.10008.5.1.4.1.1.77.1.5.1"
    }
    uids = [one["uid"] for series in study["series"] for one in (series, *series["instance"])]
    assert len(set(uids)) == 5
    report = client.get(f"DiagnosticReport/{exam.pk}").body
    assert study["started"] == report["effectiveDateTime"] == "2020-02-29"
    assert all(len(uid) <= 64 and uid.startswith("2.25.") for uid in uids), "DICOM PS3.5, 9.1"


def test_photographs_of_dicom_files_have_the_uids_of_the_archive(client: FhirClient, exam: Exam) -> None:
    for uid, eye in (("1.2.3", "OD"), ("1.2.4", "OS")):
        FundusImageFactory(exam=exam, laterality=eye, study_uid="1.2", instance_uid=uid)
    study = client.get(f"ImagingStudy/{exam.pk}").body
    identifiers = [one["value"] for one in study["identifier"]]
    assert identifiers == [f"urn:oid:2.25.{exam.pk.int}", "urn:oid:1.2"]
    uids = [[one["uid"] for one in series["instance"]] for series in study["series"]]
    assert [pair[1] for pair in uids] == ["1.2.3", "1.2.4"]
    assert all(pair[0].startswith("2.25.") for pair in uids)

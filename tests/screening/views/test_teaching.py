"""Pages of teaching sets: blind, without the person, the truth afterwards, the certificate."""

import csv
import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from screening.models import (
    Exam,
    FundusImage,
    LesionMark,
    Patient,
    Site,
    TeachingCase,
    TeachingReading,
    TeachingSet,
    User,
)
from screening.policy.lesions import Lesion
from screening.policy.marks import Mark, MarkShape, write_marks
from screening.services.teaching import archive_teaching_set
from screening.services.teaching_certificates import issue_certificate
from tests.builders import photo_bytes
from tests.screening.factories import MembershipFactory
from tests.screening.teaching import read_case, signed_exam, teaching_set
from tests.screening.test_access_audit import records_of_routes, routes
from tests.screening.views.pages import count_queries, page_text, text_of, url

READING = {"OD-verdict": "1", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none"}
PERSON = ("Zq-Family", "Zq-Given", "ZQ-MRN", "23 Jul 1961", "1961-07-23", "07700-900", "A note about")
IDENTITY = (*PERSON, "Marker-Fam", "MRN-MARKER")


@pytest.fixture
def trainee(site: Site) -> User:
    user: User = MembershipFactory(site=site, role="trainee").user
    return user


@pytest.fixture
def as_trainee(client: Client, trainee: User) -> Client:
    client.force_login(trainee)
    return client


@pytest.fixture
def exams(site: Site) -> list[Exam]:
    person = {"family_name": "Zq-Family", "given_name": "Zq-Given", "born_on": "1961-07-23", "phone": "07700-900123"}
    made = [signed_exam(site, person={"mrn": f"ZQ-MRN-{number}", **person}) for number in range(2)]
    for image in FundusImage.objects.all():
        image.file.save("photo.jpg", ContentFile(photo_bytes()))
    return made


@pytest.fixture
def course(exams: list[Exam], manager: User) -> TeachingSet:
    return teaching_set(manager, exams)


def cases(course: TeachingSet) -> list[TeachingCase]:
    return list(course.cases.order_by("number"))


def test_a_reader_in_training_reads_sees_the_truth_and_gets_a_certificate(
    as_trainee: Client, course: TeachingSet, trainee: User
) -> None:
    assert as_trainee.get("/")["Location"] == url("teaching-sets")
    assert course.name in page_text(as_trainee, "teaching-sets")
    first, second = cases(course)
    page = as_trainee.get(url("teaching-set-next", course.pk), follow=True)
    assert page.redirect_chain[-1][0] == url("teaching-case", first.pk)
    image = first.exam.images.first()  # type: ignore[union-attr]
    assert as_trainee.get(url("image-screen", image.pk)).status_code == 200  # type: ignore[union-attr]
    truth = text_of(as_trainee.post(url("teaching-case", first.pk), READING, follow=True))
    assert "Moderate non-proliferative retinopathy (2)" in truth or "(2)" in truth
    assert "Differs" in truth
    as_trainee.post(url("teaching-case", second.pk), READING)
    certificate = text_of(as_trainee.post(url("teaching-set-certificate", course.pk), follow=True))
    for text in (course.name, "version 1", trainee.get_username(), "2 exams (4 eyes)", "0.67", "Verified"):
        assert text in certificate, text
    assert "0 % (0 to" in certificate  # no referable eye was found


def test_what_was_signed_is_hidden_until_the_reading_is_stored(as_trainee: Client, course: TeachingSet) -> None:
    case = cases(course)[0]
    text = page_text(as_trainee, "teaching-case", case.pk)
    assert "Haemorrhages" in text  # a choice of the form
    for hidden in ("heatmap-", "A note about the person", str(case.exam_id), str(case.review_id), "Probability that"):
        assert hidden not in text
    assert "checked" not in text.split('class="reading-eyes"')[1].split('class="sign-bar"')[0]


def test_a_set_may_show_the_truth_after_the_last_exam_only(
    as_trainee: Client, exams: list[Exam], manager: User
) -> None:
    first, second = cases(teaching_set(manager, exams, shows_truth="end"))
    after_first = text_of(as_trainee.post(url("teaching-case", first.pk), READING, follow=True))
    assert "after the last exam" in after_first
    assert "Signed marks" not in after_first
    as_trainee.post(url("teaching-case", second.pk), READING)
    assert "Signed marks" in page_text(as_trainee, "teaching-case", first.pk)


def test_an_incomplete_reading_is_refused_and_kept(as_trainee: Client, course: TeachingSet) -> None:
    case = cases(course)[0]
    response = as_trainee.post(url("teaching-case", case.pk), {"OD-verdict": "1", "OD-macular_oedema": "none"})
    assert response.status_code == 422
    assert "Choose a grade" in text_of(response)
    assert response.context["panel"].forms["OD"]["verdict"].value() == "1"
    assert not TeachingReading.objects.exists()


def test_marks_of_both_are_side_by_side(as_trainee: Client, course: TeachingSet, manager: User) -> None:
    case = cases(course)[0]
    image = FundusImage.objects.get(exam=case.exam, laterality="OD")
    finding = case.review.findings.get(laterality="OD")  # type: ignore[union-attr]
    LesionMark.objects.create(
        image=image,
        finding=finding,
        author=manager,
        number=1,
        kind="irma",
        shape="circle",
        points=[[0.5, 0.5]],
        radius=0.1,
    )
    own = write_marks([Mark(image.pk, Lesion.NAEVUS, MarkShape.OUTLINE, ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2)))])
    text = text_of(as_trainee.post(url("teaching-case", case.pk), {**READING, "OD-marks": own}, follow=True))
    assert '<polygon points="12.0,9.0 24.0,9.0 24.0,18.0">' in text
    assert '<circle cx="60.0"' in text
    assert "Naevus" in text
    assert "IRMA" in text


def test_no_page_shows_a_reader_in_training_who_the_person_is(
    as_trainee: Client, course: TeachingSet, trainee: User, site: Site
) -> None:
    first, second = cases(course)
    read_case(first, trainee)
    read_case(second, trainee)
    certificate = issue_certificate(teaching_set=course, by=trainee)
    patient = Patient.objects.first()
    exam = first.exam
    assert patient is not None
    assert exam is not None
    image = exam.images.all()[0]
    records = {
        **records_of_routes(site),
        "set_id": course.pk,
        "case_id": first.pk,
        "certificate_id": certificate.pk,
        "patient_id": patient.pk,
        "exam_id": exam.pk,
        "image_id": image.pk,
        "grading_id": image.gradings.get().pk,
        "review_id": first.review_id,
    }
    seen = set()
    for name, address in routes(records):
        if name == "screening:logout" or name.startswith("admin:"):
            continue
        response = as_trainee.get(address)
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        content = f"{body.decode('utf-8', 'replace')} {dict(response.headers)}"
        assert not any(text in content for text in IDENTITY), name
        if response.status_code == 200:
            seen.add(name)
    assert {"screening:teaching-case", "screening:teaching-set", "screening:image-photo"} <= seen
    assert not seen & {"screening:exam-review", "screening:patient-detail", "screening:exam-detail", "api:exams"}


def test_photographs_are_seen_only_in_a_set_that_is_in_use(
    as_trainee: Client, course: TeachingSet, manager: User, site: Site
) -> None:
    in_set, other = cases(course)[0].exam, signed_exam(site)
    assert in_set is not None
    photos = [url("image-screen", exam.images.all()[0].pk) for exam in (in_set, other)]
    assert [as_trainee.get(photo).status_code for photo in photos] == [200, 404]
    archive_teaching_set(teaching_set=course, is_archived=True, by=manager)
    assert as_trainee.get(photos[0]).status_code == 404


def test_a_manager_makes_a_set_and_adds_exams_on_their_pages(
    client: Client, manager: User, exams: list[Exam], site: Site
) -> None:
    client.force_login(manager)
    assert "Create one below" in page_text(client, "teaching-sets")
    values = {"site": str(site.pk), "name": "Course", "note": "for spring", "shows_truth": "each"}
    page = client.post(url("teaching-sets"), values, follow=True)
    assert "no exam yet" in text_of(page)
    again = client.post(url("teaching-sets"), values)
    assert again.status_code == 422
    assert "Choose another name" in text_of(again)
    chosen = TeachingSet.objects.get()
    assert "Use for teaching" in page_text(client, "exam-detail", exams[0].pk)
    added = client.post(url("exam-teaching", exams[0].pk), {"set": str(chosen.pk)}, follow=True)
    assert "is in the teaching set" in text_of(added)
    assert "is in the set already" in text_of(
        client.post(url("exam-teaching", exams[0].pk), {"set": str(chosen.pk)}, follow=True)
    )
    case = chosen.cases.get()
    assert "Leave out" in page_text(client, "teaching-set", chosen.pk)
    client.post(url("teaching-case-remove", case.pk))
    assert "no exam yet" in page_text(client, "teaching-set", chosen.pk)
    client.post(url("teaching-set-archive", chosen.pk))
    assert "Take back into use" in page_text(client, "teaching-set", chosen.pk)


def test_a_set_states_which_exams_are_not_used(client: Client, manager: User, course: TeachingSet) -> None:
    client.force_login(manager)
    Exam.objects.filter(teaching_cases=cases(course)[0]).update(reading_round=1)
    assert "the result does not count any more" in page_text(client, "teaching-set", course.pk)


def test_a_manager_who_reads_the_set_sees_the_truth_after_the_last_exam(
    client: Client, course: TeachingSet, manager: User, site: Site
) -> None:
    client.force_login(manager)
    assert "OD 2" in page_text(client, "teaching-set", course.pk)
    MembershipFactory(user=manager, site=site, role="reviewer")
    assert "OD 2" not in page_text(client, "teaching-set", course.pk)
    for case in cases(course):
        read_case(case, manager)
    assert "OD 2" in page_text(client, "teaching-set", course.pk)


def test_a_certificate_is_seen_by_its_reader_and_managers(
    client: Client, course: TeachingSet, trainee: User, manager: User, reviewer: User
) -> None:
    for case in cases(course):
        read_case(case, trainee)
    certificate = issue_certificate(teaching_set=course, by=trainee)
    for user, status in ((trainee, 200), (manager, 200), (reviewer, 404)):
        client.force_login(user)
        assert client.get(url("teaching-certificate", certificate.pk)).status_code == status


@pytest.mark.parametrize(("role", "n_found"), [("trainee", 1), ("manager", 1), ("other_trainee", 0)])
def test_the_agreement_of_readers_is_exported(
    client: Client, course: TeachingSet, trainee: User, manager: User, site: Site, role: str, n_found: int
) -> None:
    for case in cases(course):
        read_case(case, trainee)
    issue_certificate(teaching_set=course, by=trainee)
    other = MembershipFactory(site=site, role="trainee").user
    client.force_login({"trainee": trainee, "manager": manager, "other_trainee": other}[role])
    response = client.post(url("teaching-set-export", course.pk), {"format": "csv"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == n_found
    for row in rows:
        assert (row["Reader"], row["Exams"]) == (trainee.username, str(len(list(cases(course)))))
        assert 0.0 <= float(row["Specificity for referable eyes"]) <= 1.0


def test_the_list_is_exported(client: Client, course: TeachingSet, trainee: User) -> None:
    read_case(next(iter(cases(course))), trainee)
    client.force_login(trainee)
    assert url("teaching-sets-export") in text_of(client.get(url("teaching-sets")))
    response: Any = client.post(url("teaching-sets-export"), {"format": "csv"})
    row = next(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert (row["Name"], row["Site"], row["Read by you"]) == (course.name, course.site.name, "1")
    assert (row["Exams"], row["Archived"]) == (str(len(list(cases(course)))), "")


@pytest.mark.parametrize("name", ["teaching-sets", "teaching-set"])
def test_the_number_of_queries_does_not_grow(
    name: str, client: Client, course: TeachingSet, manager: User, site: Site
) -> None:
    MembershipFactory(user=manager, site=site, role="reviewer")
    client.force_login(manager)
    args = [course.pk] if name == "teaching-set" else []
    before = count_queries(client, name, *args)
    teaching_set(manager, [signed_exam(site)], name="Another")
    for _ in range(3):
        exam = signed_exam(site)
        client.post(url("exam-teaching", exam.pk), {"set": str(course.pk)})
    client.get(reverse("screening:worklist"))
    assert count_queries(client, name, *args) == before
    assert before <= {"teaching-sets": 9, "teaching-set": 14}[name]


def test_the_actions_are_in_the_menu_of_readers_alone(client: Client, photographer: User, trainee: User) -> None:
    client.force_login(photographer)
    assert url("teaching-sets") not in page_text(client, "worklist")
    client.force_login(trainee)
    text = page_text(client, "teaching-sets")
    assert f'href="{url("teaching-sets")}"' in text
    assert f'href="{url("patient-list")}"' not in text

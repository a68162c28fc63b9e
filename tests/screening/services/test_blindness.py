"""A reading whose reader saw the model's result before is stored as not blind; every other one as blind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ml.vocabulary import Laterality, ServedModel
from screening.models import AuditEvent, Exam, FirstReading, FundusImage, Grading, Membership, Patient, Site, User
from screening.photos.validation import validate
from screening.services.duplicates import content_of, store_hash
from screening.services.predictions import predict_photo
from tests.copies import SAME_PICTURE, encoded, eye_file, synthetic_photo
from tests.screening.admin.records import site_form
from tests.screening.factories import (
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)
from tests.screening.fhir.client import FhirClient
from tests.screening.readings import read_eye

NotBlind = FirstReading.NotBlind
Role = Membership.Role
Visit = Callable[[User, Exam], None]


def join(user: User, site: Site, *roles: str) -> User:
    for role in roles:
        MembershipFactory(user=user, site=site, role=role)
    return user


def graded_exam(patient: Patient, *, data: bytes | None = None, sha256: str = "") -> Exam:
    exam: Exam = ExamFactory(patient=patient, is_submitted=True, left_eye_absent_reason="Prosthesis")
    changes: dict[str, Any] = {"sha256": sha256} if sha256 else {}
    if data is not None:
        changes["file"] = ContentFile(data, name="photo.jpg")
    image = FundusImageFactory(exam=exam, laterality=Laterality.RIGHT, **changes)
    GradingFactory(image=image, is_done=True, grade=3)
    return exam


def read(exam: Exam, by: User) -> FirstReading:
    values: dict[str, Any] = {"laterality": "OD", "grade": 0, "macular_oedema": "none"}
    return read_eye(exam=exam, by=by, **values)


def reason(exam: Exam, by: User) -> str:
    return read(exam, by).not_blind_reason


def open_page(name: str, user: User, *args: Any) -> None:
    client = Client()
    client.force_login(user)
    assert client.get(reverse(name, args=args)).status_code == 200


def view_exam(user: User, exam: Exam) -> None:
    open_page("screening:exam-detail", user, exam.pk)


def view_worklist(user: User, exam: Exam) -> None:
    open_page("screening:worklist", user)


def search_worklist(user: User, exam: Exam) -> None:
    client = Client()
    client.force_login(user)
    assert client.post(reverse("screening:worklist"), {"text": exam.patient.mrn}).status_code == 200


def view_gradings(user: User, exam: Exam) -> None:
    open_page("api:gradings", user)


def view_grading(user: User, exam: Exam) -> None:
    open_page("api:grading", user, Grading.objects.get(image__exam=exam).pk)


def view_observation(user: User, exam: Exam) -> None:
    assert FhirClient(user).get(f"Observation/{exam.pk}-od-gradability").status in {200, 404}


def view_observations(user: User, exam: Exam) -> None:
    assert FhirClient(user).get("Observation", patient=exam.patient_id).status == 200


def search_observations(user: User, exam: Exam) -> None:
    assert FhirClient(user).post("Observation/_search", patient=exam.patient_id).status == 200


def view_reports(user: User, exam: Exam) -> None:
    includes = ["DiagnosticReport:result", "DiagnosticReport:subject"]
    assert FhirClient(user).get("DiagnosticReport", _include=includes).status == 200


def view_panel_list(user: User, exam: Exam) -> None:
    open_page("admin:screening_grading_changelist", user)


def view_panel_record(user: User, exam: Exam) -> None:
    open_page("admin:screening_grading_change", user, Grading.objects.get(image__exam=exam).pk)


VISITS = [
    view_exam,
    view_worklist,
    search_worklist,
    view_gradings,
    view_grading,
    view_observation,
    view_observations,
    search_observations,
    view_reports,
]
PANEL_VISITS = [view_panel_list, view_panel_record]


@pytest.fixture
def blind_site(site: Site) -> Site:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    return site


@pytest.fixture
def exam(blind_site: Site) -> Exam:
    return graded_exam(PatientFactory(site=blind_site))


@pytest.mark.parametrize("visit", VISITS)
def test_a_reader_who_views_the_exam_reads_blind(exam: Exam, visit: Visit) -> None:
    user = join(UserFactory(), exam.site, Role.REVIEWER, Role.PHOTOGRAPHER)
    visit(user, exam)
    assert reason(exam, user) == ""


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize("role", [Role.MANAGER, Role.PHOTOGRAPHER])
@pytest.mark.parametrize("photographers_see_grades", [None, True])
def test_who_saw_the_result_before_becoming_a_reader_does_not_read_blind(
    exam: Exam, visit: Visit, role: str, photographers_see_grades: bool | None
) -> None:
    Site.objects.update(photographers_see_grades=photographers_see_grades)
    user = join(UserFactory(), exam.site, role)
    visit(user, exam)
    has_seen = role == Role.MANAGER or photographers_see_grades
    exam.refresh_from_db()
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == (NotBlind.OTHER_ROLE if has_seen else "")


@pytest.mark.parametrize("visit", PANEL_VISITS)
def test_a_superuser_who_saw_it_before_becoming_a_reader_does_not_read_blind(exam: Exam, visit: Visit) -> None:
    user = UserFactory(is_superuser=True, is_staff=True)
    visit(user, exam)
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == NotBlind.OTHER_ROLE


def test_a_reader_who_leaves_the_role_to_see_results_does_not_read_blind(exam: Exam) -> None:
    user = join(UserFactory(is_superuser=True, is_staff=True), exam.site, Role.REVIEWER)
    Membership.objects.filter(user=user).delete()
    view_panel_list(user, exam)
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == NotBlind.OTHER_ROLE


def test_a_role_that_is_added_again_leaves_the_reading_blind(exam: Exam) -> None:
    user = join(UserFactory(), exam.site, Role.REVIEWER)
    view_exam(user, exam)
    Membership.objects.filter(user=user).delete()
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == ""


def test_a_visit_before_the_exam_was_graded_shows_nothing(exam: Exam) -> None:
    user = join(UserFactory(), exam.site, Role.MANAGER)
    view_exam(user, exam)
    Grading.objects.update(finished_at=timezone.now())
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == ""


def test_the_worklist_of_another_site_shows_nothing(exam: Exam) -> None:
    user = join(UserFactory(), SiteFactory(), Role.MANAGER)
    view_worklist(user, exam)
    assert reason(exam, join(user, exam.site, Role.REVIEWER)) == ""


def test_an_earlier_mode_of_the_site_counts(exam: Exam, blind_site: Site) -> None:
    user = join(UserFactory(), exam.site, Role.REVIEWER)
    Site.objects.update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    view_exam(user, exam)
    chief, panel = UserFactory(is_superuser=True, is_staff=True), Client()
    panel.force_login(chief)
    address = reverse("admin:screening_site_change", args=[blind_site.pk])
    assert panel.post(address, site_form(blind_site) | {"reading_mode": "blind_first"}).status_code == 302
    exam.refresh_from_db()
    assert reason(exam, user) == NotBlind.OTHER_ROLE


def test_at_a_site_that_shows_results_no_reading_is_blind(exam: Exam) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    user = join(UserFactory(), exam.site, Role.REVIEWER)
    exam.refresh_from_db()
    assert reason(exam, user) == NotBlind.SITE_SHOWS_RESULT


def test_a_second_round_with_a_photograph_of_the_first_is_not_blind(exam: Exam) -> None:
    user = join(UserFactory(), exam.site, Role.REVIEWER)
    assert reason(exam, user) == ""
    exam.reading_round += 1
    exam.save()
    other = join(UserFactory(), exam.site, Role.REVIEWER)
    assert [reason(exam, one) for one in (user, other)] == [NotBlind.EARLIER_READING, ""]


def test_a_second_round_with_new_photographs_is_blind(exam: Exam) -> None:
    user = join(UserFactory(), exam.site, Role.REVIEWER)
    read(exam, user)
    FundusImage.objects.update(withdrawn_at=timezone.now(), withdrawn_code="poor_quality")
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
    exam.reading_round += 1
    exam.save()
    assert reason(exam, user) == ""


def test_a_prediction_before_the_upload_counts(blind_site: Site) -> None:
    user = join(UserFactory(), blind_site, Role.REVIEWER)
    predict_photo(data=eye_file(), model=ServedModel.FAST, by=user)
    sha256 = str(AuditEvent.objects.get(verb=AuditEvent.Verb.PHOTO_PREDICTED).data["sha256"])
    exam = graded_exam(PatientFactory(site=blind_site), sha256=sha256)
    assert reason(exam, user) == NotBlind.PREDICTED


def hashed_exam(patient: Patient, data: bytes) -> Exam:
    """An exam whose photograph is found again by what it looks like."""
    exam = graded_exam(patient, data=data)
    image = exam.images.get()
    store_hash(image, content_of(validate(data), sha256=image.sha256))
    return exam


@pytest.mark.parametrize("other_mode", [Site.ReadingMode.SIDE_BY_SIDE, Site.ReadingMode.BLIND_FIRST])
@pytest.mark.parametrize("is_seen", [True, False])
def test_the_same_picture_at_a_second_site(blind_site: Site, other_mode: str, is_seen: bool) -> None:
    """It counts if the reader looked at it there, unless the result is hidden there too."""
    copy = SAME_PICTURE["mirrored, smaller, lower quality"](synthetic_photo())
    elsewhere = hashed_exam(PatientFactory(site=SiteFactory(reading_mode=other_mode), family_name="Somerville"), copy)
    exam = hashed_exam(PatientFactory(site=blind_site), encoded(synthetic_photo()))
    user = join(join(UserFactory(), blind_site, Role.REVIEWER), elsewhere.site, Role.REVIEWER)
    if is_seen:
        view_exam(user, elsewhere)
    is_shown = is_seen and other_mode == Site.ReadingMode.SIDE_BY_SIDE
    assert reason(exam, user) == (NotBlind.SAME_PICTURE if is_shown else "")


@pytest.mark.parametrize(
    ("changes", "days", "is_counted"),
    [
        ({}, 0, True),
        ({"family_name": "Ada", "given_name": "Býron"}, 3, True),
        ({"family_name": "Somerville"}, 0, False),
        ({"born_on": "1961-01-01"}, 0, False),
        ({}, 30, False),
    ],
)
def test_the_same_person_at_a_second_site(exam: Exam, changes: dict[str, str], days: int, is_counted: bool) -> None:
    second = SiteFactory(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    elsewhere = graded_exam(PatientFactory(site=second, **changes))
    Exam.objects.filter(pk=elsewhere.pk).update(created_at=exam.created_at - timedelta(days=days))
    user = join(join(UserFactory(), exam.site, Role.REVIEWER), second, Role.MANAGER)
    view_exam(user, elsewhere)
    assert reason(exam, user) == (NotBlind.SAME_PERSON if is_counted else "")


def test_the_reason_is_audited(exam: Exam) -> None:
    user = join(UserFactory(), exam.site, Role.MANAGER)
    view_exam(user, exam)
    read(exam, join(user, exam.site, Role.REVIEWER))
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.FIRST_READING_RECORDED)
    assert event.data["not_blind"] == NotBlind.OTHER_ROLE

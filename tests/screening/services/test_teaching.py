"""Teaching sets: which exams, versions, readings once, certificates, and nothing of it touches the clinic."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from screening.access import AccessDenied
from screening.models import (
    AuditEvent,
    Exam,
    FirstReading,
    FundusImage,
    Referral,
    Review,
    Site,
    TeachingCase,
    TeachingCertificate,
    TeachingReading,
    TeachingSet,
    User,
)
from screening.selectors.teaching import AMENDED, ERASED, NOT_VALID, USED, get_progress, list_cases
from screening.selectors.worklist_counts import count_worklist
from screening.services.teaching import (
    TeachingError,
    add_teaching_case,
    archive_teaching_set,
    create_teaching_set,
    remove_teaching_case,
)
from screening.services.teaching_certificates import is_unchanged, issue_certificate
from tests.screening.factories import ExamFactory, MembershipFactory, ReviewFactory
from tests.screening.teaching import read_case, signed_exam, teaching_set


@pytest.fixture
def trainee(site: Site) -> User:
    user: User = MembershipFactory(site=site, role="trainee").user
    return user


@pytest.fixture
def course(site: Site, manager: User) -> TeachingSet:
    return teaching_set(manager, [signed_exam(site) for _ in range(2)])


def states(course: TeachingSet) -> list[Any]:
    return [case.state for case in list_cases(course)]  # type: ignore[attr-defined]  # annotated


def first_case(course: TeachingSet) -> TeachingCase:
    return course.cases.order_by("number")[0]


def test_only_a_manager_changes_a_set(site: Site, course: TeachingSet, reviewer: User, trainee: User) -> None:
    for user in (reviewer, trainee):
        with pytest.raises(AccessDenied):
            create_teaching_set(site=site, name="Own", note="", shows_truth="each", by=user)
        with pytest.raises(AccessDenied):
            add_teaching_case(teaching_set=course, exam=signed_exam(site), by=user)
        with pytest.raises(AccessDenied):
            remove_teaching_case(case=first_case(course), by=user)
        with pytest.raises(AccessDenied):
            archive_teaching_set(teaching_set=course, is_archived=True, by=user)


def test_a_name_is_used_once_a_site(site: Site, course: TeachingSet, manager: User) -> None:
    with pytest.raises(TeachingError, match="Choose another name"):
        create_teaching_set(site=site, name=f" {course.name} ", note="", shows_truth="end", by=manager)


@pytest.mark.parametrize(
    ("exam", "message"),
    [
        (lambda site: ExamFactory(patient__site=site, is_submitted=True), "Only a signed exam"),
        (lambda _site: signed_exam(ExamFactory().site), "Only a signed exam"),
        (lambda site: _with_writing(signed_exam(site)), "could name the person"),
        (lambda site: _without_photographs(signed_exam(site)), "no photograph"),
    ],
)
def test_an_exam_that_cannot_be_used_is_refused(
    exam: Any, message: str, site: Site, course: TeachingSet, manager: User
) -> None:
    with pytest.raises(TeachingError, match=message):
        add_teaching_case(teaching_set=course, exam=exam(site), by=manager)
    assert course.cases.count() == 2


def _with_writing(exam: Exam) -> Exam:
    exam.images.update(writing=FundusImage.Writing.KEPT)
    return exam


def _without_photographs(exam: Exam) -> Exam:
    exam.images.update(withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    return exam


def test_an_exam_is_in_a_set_once(course: TeachingSet, manager: User) -> None:
    exam = first_case(course).exam
    assert exam is not None
    with pytest.raises(TeachingError, match="already"):
        add_teaching_case(teaching_set=course, exam=exam, by=manager)


def test_a_reading_is_stored_once_and_never_changed(course: TeachingSet, trainee: User) -> None:
    case = first_case(course)
    readings = read_case(case, trainee, grade=3)
    assert [(one.laterality, one.grade) for one in readings] == [("OD", 3), ("OS", 3)]
    with pytest.raises(TeachingError, match="already"):
        read_case(case, trainee)
    with pytest.raises(DatabaseError), transaction.atomic():
        TeachingReading.objects.update(grade=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        TeachingReading.objects.all().delete()
    event = AuditEvent.objects.get(verb="teaching.case_read")
    assert (event.actor, event.object_id) == (trainee, str(case.pk))


def test_only_readers_of_the_site_read(course: TeachingSet, photographer: User, outsider: User) -> None:
    for user in (photographer, outsider):
        with pytest.raises(AccessDenied):
            read_case(first_case(course), user)


def test_nothing_of_it_touches_the_clinic(site: Site, course: TeachingSet, manager: User, reviewer: User) -> None:
    def clinic() -> Any:
        models = (Exam, Review, FirstReading, Referral)
        rows = [list(model._default_manager.order_by("pk").values()) for model in models]
        return rows, count_worklist(user=reviewer)

    before = clinic()
    for case in course.cases.all():
        read_case(case, reviewer)
    issue_certificate(teaching_set=course, by=reviewer)
    remove_teaching_case(case=first_case(course), by=manager)
    archive_teaching_set(teaching_set=course, is_archived=True, by=manager)
    assert clinic() == before


def test_a_change_after_a_reading_begins_another_version(
    site: Site, course: TeachingSet, manager: User, trainee: User
) -> None:
    add_teaching_case(teaching_set=course, exam=signed_exam(site), by=manager)
    course.refresh_from_db()
    assert course.version == 1
    read_case(first_case(course), trainee)
    added = add_teaching_case(teaching_set=course, exam=signed_exam(site), by=manager)
    course.refresh_from_db()
    assert (course.version, added.from_version) == (2, 2)
    remove_teaching_case(case=first_case(course), by=manager)
    removed = TeachingCase.objects.get(number=1)
    course.refresh_from_db()
    assert (course.version, removed.to_version) == (3, 2)
    with pytest.raises(TeachingError, match="not in the set any more"):
        remove_teaching_case(case=removed, by=manager)


def test_an_archived_set_is_neither_read_nor_changed(
    site: Site, course: TeachingSet, manager: User, trainee: User
) -> None:
    archive_teaching_set(teaching_set=course, is_archived=True, by=manager)
    with pytest.raises(TeachingError, match="not read any more"):
        read_case(first_case(course), trainee)
    with pytest.raises(TeachingError, match="archived"):
        add_teaching_case(teaching_set=course, exam=signed_exam(site), by=manager)
    archive_teaching_set(teaching_set=course, is_archived=False, by=manager)
    read_case(first_case(course), trainee)


def _amend(case: TeachingCase) -> None:
    ReviewFactory(exam=case.exam, amends=case.review, amend_reason="misread")


def _retract(case: TeachingCase) -> None:
    Exam.objects.filter(teaching_cases=case).update(reading_round=1, status=Exam.Status.ENTERED_IN_ERROR)


def _erase(case: TeachingCase) -> None:
    TeachingCase.objects.filter(pk=case.pk).update(exam=None, review=None)


@pytest.mark.parametrize(("happen", "state"), [(_amend, AMENDED), (_retract, NOT_VALID), (_erase, ERASED)])
def test_the_set_stays_usable_if_an_exam_is_corrected_later(
    happen: Any, state: str, course: TeachingSet, trainee: User
) -> None:
    assert states(course) == [USED, USED]
    case, other = course.cases.order_by("number")
    happen(case)
    assert states(course) == [state, USED]
    with pytest.raises(TeachingError, match="not read any more"):
        read_case(case, trainee)
    read_case(other, trainee)
    assert issue_certificate(teaching_set=course, by=trainee).n_cases == 1


def test_exams_that_the_reader_knows_from_the_clinic_are_left_out(course: TeachingSet, reviewer: User) -> None:
    signed, read = course.cases.order_by("number")
    Review.objects.filter(teaching_cases=signed).update(reviewer=reviewer)
    assert get_progress(course, reviewer).n_cases == 1
    exam = Exam.objects.get(teaching_cases=read)
    FirstReading.objects.create(exam=exam, reviewer=reviewer, laterality="OD", is_gradable=True, grade=0)
    assert get_progress(course, reviewer).n_cases == 0


def test_a_certificate_has_the_agreement_and_shows_a_change(course: TeachingSet, trainee: User) -> None:
    with pytest.raises(TeachingError, match="Read all exams"):
        issue_certificate(teaching_set=course, by=trainee)
    for case in course.cases.all():
        read_case(case, trainee, grade=2)
    certificate = issue_certificate(teaching_set=course, by=trainee)
    assert issue_certificate(teaching_set=course, by=trainee) == certificate
    metrics = certificate.metrics
    assert (metrics["n_eyes"], metrics["sensitivity"], metrics["specificity"]) == (4, [2, 2], [0, 2])
    assert (certificate.version, certificate.n_cases, metrics["kappa"]) == (1, 2, 0.0)
    stored = TeachingCertificate.objects.get()
    assert is_unchanged(stored)
    stored.metrics["kappa"] = 0.9
    assert not is_unchanged(stored)
    with pytest.raises(DatabaseError), transaction.atomic():
        stored.save()
    case = first_case(course)
    TeachingCase.objects.filter(pk=case.pk).update(truth={**case.truth, "OD": {**case.truth["OD"], "grade": 4}})
    assert not is_unchanged(TeachingCertificate.objects.get())

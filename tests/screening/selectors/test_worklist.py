"""The worklist: most urgent first, the same in the database and in the policy, for any number of exams."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Exam, Grading, Site, User
from screening.policy import WorklistRank, worklist_rank
from screening.selectors import worklist, worklist_page
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory

EYES: dict[str, dict[str, Any] | None] = {
    "absent": None,
    "unphotographed": {},
    "waiting": {"status": Grading.Status.QUEUED},
    "running": {"status": Grading.Status.RUNNING},
    "failed": {"is_failed": True},
    "ungradable": {"is_ungradable": True},
    "grade 0": {"is_done": True, "grade": 0},
    "grade 1, referable by the operating point": {"is_done": True, "grade": 1, "is_referable": True},
    "grade 2": {"is_done": True, "grade": 2},
    "grade 4": {"is_done": True, "grade": 4},
}


def make_exam(site: Site, right: str, left: str, **changes: Any) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True, **changes)
    for name, laterality, field in ((right, "OD", "right_eye_absent_reason"), (left, "OS", "left_eye_absent_reason")):
        values = EYES[name]
        if values is None:
            setattr(exam, field, "Prosthesis")
            exam.save()
        elif values:
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=laterality), **values)
    return exam


def rank_by_policy(exam: Exam) -> WorklistRank:
    gradings = list(Grading.objects.filter(image__exam=exam).select_related("image"))
    promising = {row.image.laterality for row in gradings if row.is_gradable or row.is_pending}
    present = {eye for eye in ("OD", "OS") if not exam.absent_reason(eye)}
    return worklist_rank(
        grades=[row.grade for row in gradings if row.grade is not None],
        is_any_referable=any(row.is_referable for row in gradings),
        is_any_eye_ungraded=bool(present - promising),
        is_any_pending=any(row.is_pending for row in gradings),
    )


@pytest.mark.parametrize(("right", "left"), list(itertools.combinations_with_replacement(EYES, 2)))
def test_the_database_ranks_as_the_policy_does(site: Site, reviewer: User, right: str, left: str) -> None:
    exam = make_exam(site, right, left)
    mirrored = make_exam(site, left, right)
    ranks = {row.pk: row.rank for row in worklist(user=reviewer)}  # type: ignore[attr-defined]
    assert ranks == {exam.pk: rank_by_policy(exam), mirrored.pk: rank_by_policy(exam)}


def test_the_most_urgent_exam_comes_first(site: Site, reviewer: User) -> None:
    rest = make_exam(site, "grade 0", "grade 0")
    pending = make_exam(site, "waiting", "grade 0")
    ungraded = make_exam(site, "ungradable", "grade 0")
    referable = make_exam(site, "grade 2", "ungradable")
    threatening = make_exam(site, "grade 4", "grade 0")
    assert list(worklist(user=reviewer)) == [threatening, referable, ungraded, pending, rest]


def test_among_equals_the_likelier_one_comes_first_then_the_longer_waiting(site: Site, reviewer: User) -> None:
    now = timezone.now()
    late = make_exam(site, "grade 2", "grade 0", submitted_at=now)
    early = make_exam(site, "grade 2", "grade 0", submitted_at=now - timedelta(hours=1))
    likely = make_exam(site, "grade 2", "grade 0", submitted_at=now)
    Grading.objects.filter(image__exam=likely, grade=2).update(p_referable=0.99)
    assert list(worklist(user=reviewer)) == [likely, early, late]


def test_only_the_newest_grading_of_a_photograph_in_use_counts(site: Site, reviewer: User) -> None:
    exam = make_exam(site, "grade 4", "grade 0")
    image = exam.images.get(laterality="OD")
    GradingFactory(image=image, is_done=True, grade=0, model_version="newer")
    withdrawn = FundusImageFactory(exam=exam, withdrawn_at=timezone.now(), withdrawn_reason="Wrong eye")
    GradingFactory(image=withdrawn, is_done=True, grade=4)
    found = worklist(user=reviewer).get()
    assert (found.rank, found.worst_grade, found.n_images) == (WorklistRank.ROUTINE, 0, 2)  # type: ignore[attr-defined]


def test_an_exam_tells_what_the_page_shows(site: Site, reviewer: User) -> None:
    exam = make_exam(site, "grade 2", "waiting")
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=1)
    found: Any = worklist(user=reviewer).get()
    assert (found.worst_grade, found.max_p_referable, found.n_images, found.n_pending) == (2, 0.9, 3, 1)


def test_an_exam_nobody_photographed_is_shown_without_numbers(site: Site, reviewer: User) -> None:
    make_exam(site, "unphotographed", "unphotographed")
    found: Any = worklist(user=reviewer).get()
    assert (found.worst_grade, found.max_p_referable, found.n_images, found.n_pending) == (None, None, 0, 0)


def test_the_worklist_keeps_to_submitted_exams_of_the_users_sites(
    site: Site, other_site: Site, reviewer: User, outsider: User
) -> None:
    waiting = make_exam(site, "grade 0", "grade 0")
    opened = ExamFactory(patient=PatientFactory(site=site))
    elsewhere = make_exam(other_site, "grade 0", "grade 0")
    assert list(worklist(user=reviewer)) == [waiting]
    assert list(worklist(user=reviewer, statuses=[Exam.Status.OPEN])) == [opened]
    assert list(worklist(user=outsider)) == [elsewhere]
    assert list(worklist(user=reviewer, site=other_site)) == []


@pytest.mark.parametrize("n_exams", [1, 12])
def test_a_page_costs_two_queries_however_long_the_list_is(
    site: Site, reviewer: User, n_exams: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(n_exams):
        make_exam(site, "grade 2", "ungradable")
    with django_assert_max_num_queries(2):
        page = worklist_page(user=reviewer, page=1, per_page=10)
        rows = [(exam.patient.family_name, exam.site.name) for exam in page]
    assert len(rows) == min(n_exams, 10)


@pytest.mark.parametrize(("asked", "number"), [(1, 1), (2, 2), (99, 2), ("x", 1), (0, 2)])
def test_a_page_that_does_not_exist_gives_one_that_does(
    site: Site, reviewer: User, asked: int | str, number: int
) -> None:
    for _ in range(3):
        make_exam(site, "grade 0", "grade 0")
    assert worklist_page(user=reviewer, page=asked, per_page=2).number == number

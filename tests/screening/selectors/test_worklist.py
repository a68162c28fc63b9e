"""The worklist: most urgent first, in a constant number of queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Exam, Site, User
from screening.policy import WorklistRank
from screening.selectors import count_by_rank, worklist
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory, make_exam


def test_the_most_urgent_exam_comes_first(site: Site, reviewer: User) -> None:
    states = [
        ("grade 0", "grade 0"),
        ("grade 0, usable with limits", "grade 0"),
        ("waiting", "grade 0"),
        ("ungradable", "grade 0"),
        ("grade 2", "ungradable"),
    ]
    exams = [make_exam(site, *eyes) for eyes in (*states, ("grade 4", "grade 0"))]
    assert list(worklist(user=reviewer)) == exams[::-1]
    assert list(worklist(user=reviewer, ranks=[WorklistRank.REFERABLE])) == [exams[4]]
    assert count_by_rank(user=reviewer) == dict.fromkeys(WorklistRank, 1)


def test_within_a_band_the_earliest_due_comes_first(site: Site, reviewer: User) -> None:
    now = timezone.now()
    ungraded = make_exam(site, "ungradable", "failed", submitted_at=now - timedelta(hours=2))
    late = make_exam(site, "grade 2", "grade 0", submitted_at=now)
    early = make_exam(site, "grade 2", "grade 0", submitted_at=now - timedelta(hours=1))
    soon = make_exam(site, "grade 2", "grade 0", submitted_at=now, reading_urgency="immediate")
    assert list(worklist(user=reviewer)) == [soon, early, late, ungraded]


def test_only_the_newest_grading_of_a_photograph_in_use_counts(site: Site, reviewer: User) -> None:
    exam = make_exam(site, "grade 4", "grade 0")
    GradingFactory(image=exam.images.get(laterality="OD"), is_done=True, grade=0, model_version="newer")
    withdrawn = FundusImageFactory(exam=exam, withdrawn_at=timezone.now(), withdrawn_code="wrong_eye")
    GradingFactory(image=withdrawn, is_done=True, grade=4)
    found: Any = worklist(user=reviewer).get()
    assert (found.worklist_rank, found.worst_grade, found.n_images) == (WorklistRank.ROUTINE, 0, 2)


@pytest.mark.parametrize(
    ("eyes", "shown"), [(("grade 2", "waiting"), (2, 0.9, 2)), (("unphotographed", "absent"), (None, None, 0))]
)
def test_an_exam_has_what_the_page_shows(site: Site, reviewer: User, eyes: tuple[str, str], shown: Any) -> None:
    make_exam(site, *eyes)
    found: Any = worklist(user=reviewer).get()
    assert (found.worst_grade, found.max_p_referable, found.n_images) == shown


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
    assert sum(count_by_rank(user=outsider).values()) == 1


@pytest.mark.parametrize("n_exams", [1, 12])
def test_a_page_and_its_counts_are_one_query_each(
    site: Site, reviewer: User, n_exams: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(n_exams):
        make_exam(site, "grade 2", "ungradable")
    with django_assert_num_queries(1):
        names = [(exam.patient.family_name, exam.site.name) for exam in worklist(user=reviewer)[:10]]
    with django_assert_num_queries(1):
        count_by_rank(user=reviewer)
    assert len(names) == min(n_exams, 10)


def test_a_blind_reader_has_the_longest_waiting_first_for_all_grades(
    site: Site, reviewer: User, photographer: User
) -> None:
    calm, grave, referable = (make_exam(site, f"grade {grade}", f"grade {grade}") for grade in (0, 4, 2))
    assert list(worklist(user=reviewer)) == [grave, referable, calm]
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert list(worklist(user=reviewer)) == [calm, grave, referable]
    counts = count_by_rank(user=reviewer)
    assert {rank: n for rank, n in counts.items() if n} == {WorklistRank.ROUTINE: 3}
    assert list(worklist(user=photographer)) == [calm, grave, referable]
    Site.objects.filter(pk=site.pk).update(photographers_see_grades=True)
    assert list(worklist(user=photographer)) == [grave, referable, calm]


def test_suspected_oedema_raises_the_rank_but_not_for_blind_readers(
    site: Site, reviewer: User, photographer: User
) -> None:
    calm = make_exam(site, "grade 0, no suspicion of oedema", "grade 0, usable with limits")
    suspected = make_exam(site, "grade 0, suspicion of oedema", "grade 0")
    assert list(worklist(user=reviewer)) == [suspected, calm]
    assert list(worklist(user=reviewer, ranks=[WorklistRank.REFERABLE])) == [suspected]
    raised = count_by_rank(user=reviewer)
    assert (raised[WorklistRank.REFERABLE], raised[WorklistRank.ROUTINE]) == (1, 0)

    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert list(worklist(user=reviewer)) == [calm, suspected]
    assert list(worklist(user=reviewer, ranks=[WorklistRank.REFERABLE])) == []
    blind = count_by_rank(user=reviewer)
    assert (blind[WorklistRank.REFERABLE], blind[WorklistRank.LIMITED], blind[WorklistRank.ROUTINE]) == (0, 0, 2)
    assert count_by_rank(user=photographer) == blind
    Site.objects.filter(pk=site.pk).update(photographers_see_grades=True)
    assert count_by_rank(user=photographer) == raised

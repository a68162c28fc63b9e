"""The worklist: most urgent first, in a constant number of queries."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Exam, FirstReading, Site, User
from screening.policy import ExamQuality, WorklistRank
from screening.selectors import (
    Reading,
    WorklistFilters,
    WorklistSort,
    WorklistState,
    count_choices,
    count_worklist,
    worklist,
)
from tests.screening.eye_states import make_exam
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, PatientFactory

ALL = WorklistFilters()


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
    assert list(worklist(user=reviewer, filters=WorklistFilters(rank=WorklistRank.REFERABLE))) == [exams[4]]
    assert count_choices(user=reviewer, filters=ALL).ranks == dict.fromkeys(WorklistRank, 1)


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
    assert list(worklist(user=reviewer, filters=WorklistFilters(state=WorklistState.OPEN))) == [opened]
    assert list(worklist(user=outsider)) == [elsewhere]
    assert list(worklist(user=reviewer, filters=WorklistFilters(site=other_site))) == []
    assert sum(count_choices(user=outsider, filters=ALL).ranks.values()) == 1


@pytest.mark.parametrize("n_exams", [1, 12])
def test_the_number_of_queries_does_not_depend_on_the_number_of_exams(
    site: Site, reviewer: User, n_exams: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(n_exams):
        make_exam(site, "grade 2", "ungradable")
    with django_assert_num_queries(4):
        names = [(exam.patient.family_name, exam.site.name) for exam in worklist(user=reviewer)[:10]]
    with django_assert_num_queries(2):
        count_choices(user=reviewer, filters=ALL)
    with django_assert_num_queries(3):
        count_worklist(user=reviewer)
    assert len(names) == min(n_exams, 10)


def test_a_blind_reader_has_the_longest_waiting_first_for_all_grades(
    site: Site, reviewer: User, photographer: User
) -> None:
    calm, grave, referable = (make_exam(site, f"grade {grade}", f"grade {grade}") for grade in (0, 4, 2))
    assert list(worklist(user=reviewer)) == [grave, referable, calm]
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert list(worklist(user=reviewer)) == [calm, grave, referable]
    counts = count_choices(user=reviewer, filters=ALL).ranks
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
    assert list(worklist(user=reviewer, filters=WorklistFilters(rank=WorklistRank.REFERABLE))) == [suspected]
    raised = count_choices(user=reviewer, filters=ALL).ranks
    assert (raised[WorklistRank.REFERABLE], raised[WorklistRank.ROUTINE]) == (1, 0)

    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert list(worklist(user=reviewer)) == [calm, suspected]
    assert list(worklist(user=reviewer, filters=WorklistFilters(rank=WorklistRank.REFERABLE))) == []
    blind = count_choices(user=reviewer, filters=ALL).ranks
    assert (blind[WorklistRank.REFERABLE], blind[WorklistRank.LIMITED], blind[WorklistRank.ROUTINE]) == (0, 0, 2)
    assert count_choices(user=photographer, filters=ALL).ranks == blind
    Site.objects.filter(pk=site.pk).update(photographers_see_grades=True)
    assert count_choices(user=photographer, filters=ALL).ranks == raised


def test_filters_keep_the_exams_that_they_name(site: Site, other_site: Site, reviewer: User) -> None:
    MembershipFactory(user=reviewer, site=other_site, role="reviewer")
    now = timezone.now()
    late = make_exam(site, "grade 0", "grade 0", submitted_at=now - timedelta(days=15))
    begun = make_exam(site, "grade 0", "ungradable")
    elsewhere = make_exam(other_site, "grade 0", "grade 0")
    opened = ExamFactory(patient=PatientFactory(site=site), opened_by=reviewer)
    returned = ExamFactory(patient=PatientFactory(site=site), status="returned", returned_at=now)
    read_both(begun, reviewer, eyes="OD")
    Exam.objects.filter(pk=late.pk).update(status="second_reading")
    decided = make_exam(other_site, "grade 0", "grade 0")
    Exam.objects.filter(pk=decided.pk).update(status="arbitration")

    def found(**filters: Any) -> set[Exam]:
        return set(worklist(user=reviewer, filters=WorklistFilters(**filters)))

    assert found() == {late, begun, elsewhere, decided}
    assert found(site=other_site) == {elsewhere, decided}
    assert found(is_overdue=True) == {late}
    assert found(is_mine=True) == {begun}
    assert found(quality=ExamQuality.UNGRADED) == {begun}
    assert found(reading=Reading.SECOND) == {late}
    assert found(reading=Reading.FIRST) == {begun, elsewhere}
    assert found(reading=Reading.ARBITRATION) == {decided}
    assert found(state=WorklistState.OPEN) == {opened, returned}
    assert found(state=WorklistState.RETURNED) == {returned}
    assert found(state=WorklistState.OPEN, is_mine=True) == {opened}
    assert found(reading=Reading.SECOND, is_overdue=True, site=site) == {late}
    assert asdict(count_worklist(user=reviewer)) == {
        "waiting": 4, "overdue": 1, "open": 2, "returned": 1, "mine": 1, "second": 1, "arbitration": 0,
    }  # fmt: skip
    assert count_worklist(user=reviewer, site=other_site).waiting == 2


def read_both(exam: Exam, reader: User, eyes: str = "OD OS") -> None:
    """First readings of the eyes; with that of the last eye the blind reading is complete."""
    for eye in eyes.split():
        FirstReading.objects.create(
            exam=exam, reviewer=reader, laterality=eye, is_gradable=True, grade=0, is_blind_complete=eye == "OS"
        )


def test_an_own_or_earlier_reading_does_not_make_a_second_one(site: Site, reviewer: User, manager: User) -> None:
    own, earlier, both = (make_exam(site, "grade 0", "grade 0") for _ in range(3))
    read_both(own, reviewer)
    read_both(earlier, manager)
    Exam.objects.filter(pk=earlier.pk).update(reading_round=1)
    for reader in (reviewer, manager):
        read_both(both, reader)
    assert count_worklist(user=reviewer).second == 0
    assert set(worklist(user=reviewer, filters=WorklistFilters(is_mine=True))) == {own, both}


def test_each_order_has_the_exams_that_it_names_first(site: Site, reviewer: User) -> None:
    now = timezone.now()
    routine = make_exam(site, "grade 4", "grade 0", submitted_at=now - timedelta(hours=9), patient__family_name="Zuse")
    soon = make_exam(
        site, "grade 0", "grade 0", submitted_at=now, reading_urgency="immediate", patient__family_name="Agnesi"
    )

    def listed(sort: WorklistSort) -> list[Exam]:
        return list(worklist(user=reviewer, filters=WorklistFilters(sort=sort)))

    assert listed(WorklistSort.BAND) == [routine, soon]
    assert listed(WorklistSort.DUE) == [soon, routine]
    assert listed(WorklistSort.WAITING) == [routine, soon]
    assert listed(WorklistSort.PATIENT) == [soon, routine]


@pytest.mark.parametrize("sort", list(WorklistSort))
@pytest.mark.parametrize("state", list(WorklistState))
def test_the_last_key_of_an_order_is_unique_so_that_pages_do_not_overlap(
    reviewer: User, sort: WorklistSort, state: WorklistState
) -> None:
    assert worklist(user=reviewer, filters=WorklistFilters(state=state, sort=sort)).query.order_by[-1] == "pk"


def test_a_band_that_would_reveal_the_result_is_masked(site: Site, reviewer: User, photographer: User) -> None:
    calm, grave = make_exam(site, "grade 0", "grade 0"), make_exam(site, "grade 4", "grade 4")
    Site.objects.filter(pk=site.pk).update(photographers_see_grades=False)
    assert list(worklist(user=reviewer)) == [grave, calm]
    assert list(worklist(user=photographer)) == [calm, grave]

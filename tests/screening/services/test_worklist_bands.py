"""Bands of the worklist and due times: at a blind-first site the order does not tell what the model suspects."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from screening.models import AuditEvent, Exam, Site, User
from screening.policy import ExamQuality, WorklistBand, WorklistRank, sample_order
from screening.selectors import WorklistFilters, WorklistSort, count_choices
from screening.selectors import worklist as listed
from screening.services.exams import FactsMissing, FieldsMissing, submit_exam
from screening.services.hand_overs import return_exam, take_back_exam
from screening.services.worklist import (
    update_bands_of_site,
    update_due_times_of_site,
    update_priority,
)
from tests.screening.eye_states import make_exam
from tests.screening.factories import PatientFactory, UserFactory

CONFIRMED = (FieldsMissing.CODE, FactsMissing.CODE)


@pytest.fixture
def blind_site(site: Site) -> Site:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    return site


def waiting_exams(site: Site, n: int) -> list[Exam]:
    """Exams of one patient, each due a minute after the one before."""
    patient, opener, now = PatientFactory(site=site), UserFactory(), timezone.now()
    row = {"site": site, "patient": patient, "opened_by": opener, "status": "submitted", "quality": "good"}
    rows = [Exam(**row, submitted_at=now, due_at=now + timedelta(minutes=number)) for number in range(n)]
    return Exam.objects.bulk_create(rows)


def suspect(site: Site, exams: list[Exam], suspected: set[int]) -> list[Exam]:
    """The model suspects the exams with these positions; returns the priority band."""
    for number, exam in enumerate(exams):
        exam.worklist_rank = WorklistRank.SIGHT_THREATENING if number in suspected else WorklistRank.ROUTINE
        exam.worklist_band = WorklistBand.BY_DUE_TIME
    Exam.objects.bulk_update(exams, ["worklist_rank", "worklist_band"])
    update_priority(site.pk)
    return list(Exam.objects.filter(worklist_band=WorklistBand.PRIORITY))


def test_permuted_results_change_only_who_is_in_the_priority_band(blind_site: Site, reviewer: User) -> None:
    exams, seeded = waiting_exams(blind_site, 1000), random.Random(0)
    others: dict[WorklistSort, list[UUID]] = {}
    for _ in range(3):
        suspected = set(seeded.sample(range(1000), 60))
        priority = set(suspect(blind_site, exams, suspected))
        assert len(priority) == 120
        assert {exams[number] for number in suspected} <= priority
        inside, outside = ([one for one in exams if (one in priority) is is_in] for is_in in (True, False))
        assert list(listed(user=reviewer)) == inside + outside
        for sort in (WorklistSort.DUE, WorklistSort.WAITING, WorklistSort.PATIENT):
            found = listed(user=reviewer, filters=WorklistFilters(sort=sort)).values_list("pk", flat=True)
            assert set(others.setdefault(sort, list(found))) == {one.pk for one in exams}
            assert list(found) == others[sort]
        choices = count_choices(user=reviewer, filters=WorklistFilters())
        assert choices.ranks == {rank: 1000 * (rank is WorklistRank.ROUTINE) for rank in WorklistRank}
        for rank in (WorklistRank.SIGHT_THREATENING, WorklistRank.REFERABLE, WorklistRank.LIMITED):
            assert not listed(user=reviewer, filters=WorklistFilters(rank=rank)).exists()


@pytest.mark.parametrize(("n", "n_suspected", "n_in"), [(1, 1, 0), (2, 1, 2), (3, 2, 2), (10, 8, 4), (10, 0, 0)])
def test_at_most_half_of_the_priority_band_is_suspected(blind_site: Site, n: int, n_suspected: int, n_in: int) -> None:
    exams = waiting_exams(blind_site, n)
    priority = suspect(blind_site, exams, set(range(n_suspected)))
    assert len(priority) == n_in
    assert sum(one.worklist_rank == WorklistRank.SIGHT_THREATENING for one in priority) * 2 == n_in


def test_the_random_exams_have_the_quality_of_those_suspected(blind_site: Site) -> None:
    exams = waiting_exams(blind_site, 12)
    for number, exam in enumerate(exams):
        exam.quality = ExamQuality.GOOD if number < 6 else ExamQuality.UNGRADED
    Exam.objects.bulk_update(exams, ["quality"])
    priority = suspect(blind_site, exams, {0, 1, 6})
    assert Counter(one.quality for one in priority) == {ExamQuality.GOOD: 4, ExamQuality.UNGRADED: 2}


def test_the_random_sample_can_be_repeated_and_stays_until_it_is_read(blind_site: Site) -> None:
    exams = waiting_exams(blind_site, 20)
    sampled = set(suspect(blind_site, exams, {3, 7})) - {exams[3], exams[7]}
    others = sorted((one for one in exams if one not in {exams[3], exams[7]}), key=lambda one: sample_order(one.pk))
    assert sampled == set(others[:2])
    events = AuditEvent.objects.filter(verb=AuditEvent.Verb.EXAM_PRIORITISED)
    assert {event.object_id for event in events} == {str(one.pk) for one in [*sampled, exams[3], exams[7]]}
    Exam.objects.filter(pk=exams[3].pk).update(status="signed")
    update_priority(blind_site.pk)
    assert set(Exam.objects.filter(worklist_band=WorklistBand.PRIORITY)) == {*sampled, exams[7]}
    assert events.count() == 4


def test_the_priority_band_follows_each_hand_over_and_return(
    blind_site: Site, photographer: User, reviewer: User, django_capture_on_commit_callbacks: Any
) -> None:
    first, second = (make_exam(blind_site, grade, "grade 0") for grade in ("grade 4", "grade 0"))
    with django_capture_on_commit_callbacks(execute=True):
        take_back_exam(exam=first, by=photographer)
    assert not Exam.objects.filter(worklist_band=WorklistBand.PRIORITY).exists()
    with django_capture_on_commit_callbacks(execute=True):
        submit_exam(exam=first, confirmed=CONFIRMED, by=photographer)
    assert set(Exam.objects.filter(worklist_band=WorklistBand.PRIORITY)) == {first, second}
    with django_capture_on_commit_callbacks(execute=True):
        return_exam(exam=second, reason="Left eye out of focus", by=reviewer)
    assert not Exam.objects.filter(worklist_band=WorklistBand.PRIORITY).exists()


def test_other_sites_have_the_bands_of_the_ranks(site: Site) -> None:
    exam = make_exam(site, "grade 4", "grade 0")
    update_priority(site.pk)
    exam.refresh_from_db()
    assert exam.worklist_band == WorklistBand.SIGHT_THREATENING
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    update_bands_of_site(site)
    exam.refresh_from_db()
    assert exam.worklist_band == WorklistBand.BY_DUE_TIME


def test_other_targets_change_the_due_times(site: Site) -> None:
    exam = make_exam(site, "grade 0", "grade 0")
    site.reading_target_routine_h = 5
    site.save()
    update_due_times_of_site(site)
    exam.refresh_from_db()
    assert exam.due_at is not None
    assert exam.due_at - timedelta(hours=5) == exam.submitted_at

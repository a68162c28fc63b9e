"""Counts of days: equal to a direct count, up to date after a change, made up after missed runs."""

import datetime
import random
from collections import Counter
from typing import Any, cast

import pytest
from django.utils import timezone

from screening.models import (
    AuditEvent,
    CountedDay,
    CountRun,
    DailyCount,
    Exam,
    EyeFinding,
    FundusImage,
    Grading,
    ReadingDraft,
    Review,
    Site,
    User,
)
from screening.policy.daily_counts import Measure
from screening.policy.recall import ContactChannel, ContactKind, ContactResult
from screening.policy.site_settings import SettingsGroup
from screening.services import daily_counts
from screening.services.contacts import record_contact
from screening.services.corrections import mark_in_error
from screening.services.daily_counts import update_counts
from screening.services.reviews import sign_review
from screening.services.site_settings import change_settings
from screening.tasks import update_counts as task
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _blind(site: Site) -> None:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()


def counts(measure: Measure, **filters: Any) -> dict[str, int]:
    """Sums over all days, by code."""
    found: Counter[str] = Counter()
    for row in DailyCount.objects.filter(measure=measure, **filters):
        found[row.code] += row.n
    return dict(found)


def long_ago(*exams: Exam, days: int) -> None:
    for exam in exams:
        Exam.objects.filter(pk=exam.pk).update(created_at=timezone.now() - datetime.timedelta(days=days))


def random_exams(site: Site, generator: random.Random) -> None:
    readers = [reader_of(site) for _ in range(2)]
    for _ in range(8):
        exam = waiting_exam(site, *generator.choices(range(5), k=2))
        choice = generator.random()
        grades = generator.choices([None, 0, 1, 2, 3, 4], k=2)
        if choice < 0.7:
            review = sign(exam, generator.choice(readers), found(grades[0], grades[1]))
            if choice < 0.15:
                mark_in_error(review=cast("Review", review), reason="Wrong eye", by=readers[0])
        long_ago(exam, days=generator.randrange(5))


def test_the_counts_are_those_of_a_direct_count(site: Site) -> None:
    random_exams(site, random.Random(3))
    update_counts()
    signed = Exam.objects.filter(status="signed")
    findings = EyeFinding.objects.filter(review__exam__in=signed, review__amendments=None)
    assert counts(Measure.EXAMS) == {
        name: n
        for name, n in {
            "signed": signed.count(),
            "waiting": Exam.objects.exclude(status="signed").count(),
        }.items()
        if n
    }
    assert counts(Measure.OUTCOMES, dimension="site") == Counter(
        Review.objects.filter(exam__in=signed).values_list("outcome", flat=True)
    )
    graded = [str(grade) for grade in findings.values_list("grade", flat=True) if grade is not None]
    assert counts(Measure.GRADES) == Counter(graded)
    assert counts(Measure.EYES).get("ungradable", 0) == findings.filter(is_gradable=False).count()
    assert counts(Measure.PHOTOS, dimension="photographer") == {"good": Grading.objects.count()}
    assert sum(counts(Measure.TURNAROUND).values()) == signed.count()
    pairs: Counter[str] = Counter()
    for one in findings.select_related("review__exam"):
        model = Grading.objects.get(image__exam=one.review.exam, image__laterality=one.laterality)
        final = "U" if one.grade is None else f"{one.grade}{'+' if one.grade >= 2 else ''}"
        assert model.grade is not None
        pairs[f"{final}:{model.grade}{'+' if model.grade >= 2 else ''}"] += 1
    assert counts(Measure.MODEL_FINAL) == pairs
    assert counts(Measure.MODEL_BLIND, dimension="reader") == pairs, "each was signed as it was read"
    assert counts(Measure.CHANGES, dimension="site") == {"none": findings.count()}
    days = Counter(timezone.localdate(at, site.zone) for at in Exam.objects.values_list("created_at", flat=True))
    rows = DailyCount.objects.filter(measure=Measure.EXAMS)
    assert sum(rows.filter(day=min(days)).values_list("n", flat=True)) == days[min(days)]
    before = list(DailyCount.objects.order_by("pk").values())
    CountedDay.objects.update(is_pending=True)
    update_counts()
    assert list(DailyCount.objects.order_by("pk").values()) == before, "a second count changes nothing"


def test_an_amendment_and_a_retraction_change_the_day_of_the_visit(site: Site, reviewer: User) -> None:
    exam = waiting_exam(site, 2, 0)
    long_ago(exam, days=100)
    exam.refresh_from_db()
    review = cast("Review", sign(exam, reviewer, found(2, 0)))
    cast("Any", task)()
    day = timezone.localdate(exam.created_at, site.zone)
    assert counts(Measure.GRADES, day=day) == {"0": 1, "2": 1}
    CountRun.objects.update(read_until=timezone.now() + HOUR)  # nothing is left to read
    assert update_counts().n_pending == 0
    CountRun.objects.update(read_until=timezone.now() - HOUR)  # as after an hour without a run
    changed = found(3, 0)
    for one in changed.values():
        object.__setattr__(one, "changed_reason", "Seen on the disc photograph")
    newer = sign_review(exam=exam, findings=changed, amends=review, amend_reason="Bleeding", by=reviewer)
    CountRun.objects.update(read_until=timezone.now() - HOUR)
    update_counts()
    assert counts(Measure.GRADES, day=day) == {"0": 1, "3": 1}
    assert counts(Measure.CHANGES, dimension="reader", subject=str(reviewer.pk)) == {"none": 1, "farther": 1}
    mark_in_error(review=newer, reason="Wrong patient", by=reviewer)
    update_counts()
    assert counts(Measure.GRADES) == {}
    assert counts(Measure.EXAMS, day=day) == {"waiting": 1}


def test_two_readers_are_compared_and_their_time_is_counted(site: Site) -> None:
    use_protocol(site, "double_all")
    first, second = reader_of(site), reader_of(site)
    exam = waiting_exam(site, 1, 0)
    sign(exam, first, found(1, 0))
    sign(exam, second, found(1, 1))
    Exam.objects.update(submitted_at=timezone.now() - 53 * HOUR)
    update_counts()
    assert counts(Measure.TWO_READERS) == {"1:1": 1, "0:1": 1}
    assert counts(Measure.COLLEAGUE, subject=str(first.pk)) == {"1:1": 1, "1:0": 1}
    assert counts(Measure.TURNAROUND) == {"2d": 1}


def test_an_exam_that_a_person_has_yet_to_read_blind_is_in_no_comparison(site: Site, reviewer: User) -> None:
    late = reader_of(site)
    exam = waiting_exam(site, 2, 0)
    draft = ReadingDraft.objects.create(exam=exam, reviewer=late, updated_at=timezone.now())
    sign(exam, reviewer)
    update_counts()
    assert counts(Measure.GRADES) == {"0": 2}
    assert not DailyCount.objects.filter(measure__in=["model_final", "model_blind", "compared"]).exists()
    ReadingDraft.objects.filter(pk=draft.pk).update(updated_at=timezone.now() - 24 * 8 * HOUR)
    CountRun.objects.update(read_until=timezone.now() + HOUR)
    update_counts()
    assert counts(Measure.MODEL_FINAL) == {"0:0": 1, "0:2+": 1}


def test_synthetic_photographs_are_in_no_comparison(site: Site, reviewer: User) -> None:
    exam = waiting_exam(site, 2, 0)
    FundusImage.objects.update(is_synthetic=True)
    sign(exam, reviewer)
    update_counts()
    assert sum(counts(Measure.PHOTOS, dimension="site").values()) == 2
    assert counts(Measure.MODEL_FINAL) == {}


def test_people_and_invitations_are_counted(site: Site, manager: User) -> None:
    people = [PatientFactory(site=site) for _ in range(3)]
    for patient in people:
        record_contact(
            patient=patient,
            kind=ContactKind.INVITATION,
            channel=ContactChannel.LETTER,
            result=ContactResult.SENT,
            on=timezone.localdate(timezone=site.zone),
            by=manager,
        )
    ExamFactory(patient=people[0], is_submitted=True)
    update_counts()
    assert counts(Measure.INVITED) == {"yes": 1, "no": 2}
    assert counts(Measure.REGISTER) == {"due": 2, "in_progress": 1}
    assert counts(Measure.COVERED) == {"no": 3}


def test_a_run_that_is_short_of_time_leaves_days_to_the_next_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    exams = [ExamFactory(patient__site=site) for _ in range(3)]
    for number, exam in enumerate(exams):
        long_ago(exam, days=number)
    assert update_counts(max_s=-1).n_pending == 3
    assert update_counts().n_pending == 0
    assert counts(Measure.EXAMS) == {"photographed": 3}
    AuditEvent.objects.create(verb="exam.cancelled", object_type="exam", object_id=str(exams[2].pk), site=site)
    Exam.objects.filter(pk=exams[2].pk).update(status="cancelled")
    monkeypatch.setattr(daily_counts, "facts_of_day", lambda **_values: (_ for _ in ()).throw(OSError))
    with pytest.raises(OSError):  # noqa: PT011 (made in the line above)
        update_counts()
    monkeypatch.undo()
    assert update_counts().n_pending == 0
    assert counts(Measure.EXAMS) == {"photographed": 2, "cancelled": 1}


def test_the_queries_of_a_day_do_not_grow(site: Site, reviewer: User, django_assert_max_num_queries: Any) -> None:
    update_counts()
    day = timezone.localdate(timezone=site.zone)
    for n in (1, 4):
        for _ in range(n):
            sign(waiting_exam(site, 1, 0), reviewer)
        with django_assert_max_num_queries(24):
            daily_counts.count_day(site_id=site.pk, day=day)


def test_a_withdrawn_photograph_and_a_newer_grading_change_no_comparison(site: Site, reviewer: User) -> None:
    exam = waiting_exam(site, 2, 0)
    sign(exam, reviewer)
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=4, finished_at=timezone.now() + HOUR)
    update_counts()
    assert counts(Measure.MODEL_FINAL) == {"0:0": 1, "0:2+": 1}


def test_another_time_zone_moves_exams_to_its_days(site: Site, manager: User) -> None:
    exam = waiting_exam(site)
    late = datetime.datetime.combine(timezone.now().date() - datetime.timedelta(days=100), datetime.time(23, 30))
    Exam.objects.filter(pk=exam.pk).update(created_at=late.replace(tzinfo=datetime.UTC))
    Site.objects.filter(pk=site.pk).update(timezone="UTC")
    update_counts()
    update_counts()
    before, after = {"timezone": "UTC"}, {"timezone": "Asia/Kolkata"}
    values = {"name": site.name, "message_language": site.message_language, "phone_region": site.phone_region}
    group = SettingsGroup.GENERAL
    change_settings(site=site, group=group, base=values | before, values=values | after, reason="Moved", by=manager)
    assert CountedDay.objects.filter(is_pending=True).count() >= 2, "the day that had it, and the one that has it"
    update_counts()
    assert counts(Measure.EXAMS, day=late.date()) == {}
    assert counts(Measure.EXAMS, day=late.date() + datetime.timedelta(days=1)) == {"waiting": 1}

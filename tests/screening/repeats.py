"""Repeats in few words, under a clock that is moved."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import AuditEvent, Exam, Repeat, Review, Site, User
from screening.policy.protocols import SamplePurpose, is_sampled
from screening.policy.repeats import OFFERED_PERCENT
from screening.selectors.worklist import ALL
from screening.services.repeats import take_next
from tests.screening.protocols import Findings, found, sign, use_protocol, waiting_exam


class Clock:
    """Moves ``timezone.now``, also for audit events."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead, real = timedelta(), timezone.now
        monkeypatch.setattr(timezone, "now", lambda: real() + self._ahead)
        monkeypatch.setattr(AuditEvent._meta.get_field("at"), "_get_default", timezone.now)

    def move(self, **period: float) -> None:
        self._ahead += timedelta(**period)


def blind_site(site: Site, **protocol: Any) -> Site:
    """The site reads blind first, and each signed exam comes back to its readers after eight weeks."""
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    use_protocol(site, **{"kind": "single", "repeat_percent": 100, **protocol})
    return site


def signed_exam(site: Site, reader: User, findings: Findings | None = None, grades: tuple[int, ...] = ()) -> Exam:
    """An exam that ``reader`` read blind and signed."""
    exam = waiting_exam(site, *grades)
    assert isinstance(sign(exam, reader, found() if findings is None else findings), Review)
    exam.refresh_from_db()
    return exam


def exam_before_a_repeat(site: Site) -> Exam:
    """A waiting exam before which a repeat may be offered."""
    while True:
        exam = waiting_exam(site)
        if is_sampled(SamplePurpose.REPEAT_OFFER, exam.pk, exam.reading_round, OFFERED_PERCENT):
            return exam
        Exam.objects.filter(pk=exam.pk).update(status=Exam.Status.CANCELLED)


def take_repeat(exam: Exam, reader: User) -> Repeat:
    """Take the repeat of the exam by *next exam*."""
    exam_before_a_repeat(exam.site)
    assert take_next(filters=ALL, by=reader) == exam
    return Repeat.objects.get(exam=exam, reader=reader)

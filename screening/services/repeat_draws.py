"""The draw of repeats at the signature of a result: by the id of the exam, as the sample of second readings."""

import uuid
from datetime import timedelta

from django.utils import timezone

from ml.vocabulary import Laterality
from screening.models import FirstReading, Repeat, Review, Site
from screening.policy.protocols import Protocol, SamplePurpose, is_sampled
from screening.selectors.protocols import newest_protocol
from screening.services.exams import photographed_eyes


def draw_repeats(review: Review) -> None:
    """Store a repeat of each blind reader of a result that was just signed, if the exam is in the sample.

    Only at a site that reads blind first, and of exams whose eyes have photographs or are absent. The caller records
    the event of the signature.
    """
    exam = review.exam
    if exam.site.reading_mode != Site.ReadingMode.BLIND_FIRST or exam.site.practice_of_id is not None:
        return
    stored = newest_protocol(exam.site)
    protocol = Protocol() if stored is None else stored.protocol
    if not is_sampled(SamplePurpose.REPEAT, exam.pk, exam.reading_round, protocol.repeat_percent):
        return
    photographed = photographed_eyes(exam)
    if not all(eye in photographed or exam.absent_reason(eye) for eye in Laterality):
        return
    day = timezone.localdate(review.signed_at, exam.site.zone) + timedelta(weeks=protocol.repeat_weeks)
    common = {"exam": exam, "reading_round": exam.reading_round, "review": review, "protocol": stored, "due_on": day}
    Repeat.objects.bulk_create(Repeat(reader_id=reader_id, **common) for reader_id in _blind_readers(review))


def _blind_readers(review: Review) -> list[uuid.UUID]:
    """Who stored an own reading of all eyes of the exam before seeing a result of the model."""
    rows = FirstReading.objects.filter(exam=review.exam, reading_round=review.reading_round)
    not_blind = set(rows.exclude(not_blind_reason="").values_list("reviewer", flat=True))
    complete = rows.filter(is_blind_complete=True).values_list("reviewer", flat=True).order_by("reviewer").distinct()
    return [reader for reader in complete if reader not in not_blind]

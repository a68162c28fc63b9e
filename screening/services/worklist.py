"""Order of the worklist, stored on the exam: band, rank, worst grade, quality of the photographs, due time."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from ml.vocabulary import Laterality
from screening import policy
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site
from screening.models.gradings import current_first, limited_fields, limited_negatives
from screening.policy.exam_states import PHOTOGRAPHED, WAITING
from screening.services.audit import record_event

_ORDER_FIELDS = ("worst_grade", "max_p_referable", "worklist_rank", "worklist_band", "quality", "is_oedema_suspected")
_GRADING_FIELDS = (
    "status", "is_gradable", "quality_level", "grade", "p_referable", "is_referable", "suspects_oedema",
    "image__laterality", "image__field", "image__withdrawn_at",
)  # fmt: skip
_EXAM_FIELDS = (*_ORDER_FIELDS, *Exam.ABSENT_REASON_FIELDS.values(), "site__reading_mode")


def update_worklist_order(exam: Exam) -> None:
    """Store the order of ``exam``, from the current grading of each photograph in use.

    Call it in the transaction that changes a grading, a photograph or an absent eye. It locks the exam until that
    transaction ends: of two gradings that finish at once, the second counts the first.
    """
    locked = lock_with_site(exam)
    _store_order(exam, locked, _gradings_of(exam))


def update_order_of_locked(exam: Exam) -> None:
    """As ``update_worklist_order``, for an exam that was read with its site and is locked."""
    _store_order(exam, exam, _gradings_of(exam))


def lock_with_site(exam: Exam) -> Exam:
    """The exam as stored now, with its site, locked until the transaction ends."""
    return Exam.objects.select_for_update(of=("self",)).select_related("site").get(pk=exam.pk)


def _store_order(exam: Exam, locked: Exam, rows: Iterable[Grading]) -> None:
    """Set the order on ``exam``, and store it if it differs from that of ``locked``, its locked row."""
    before = [getattr(locked, name) for name in _ORDER_FIELDS]
    gradings = _current(rows)
    grades = [grading.grade for grading in gradings if grading.grade is not None]
    graded_or_pending = {grading.image.laterality for grading in gradings if grading.is_gradable or grading.is_pending}
    is_ungraded = any(not locked.absent_reason(eye) and eye not in graded_or_pending for eye in Laterality)
    is_pending = any(grading.is_pending for grading in gradings)
    exam.worst_grade = max(grades, default=None)
    exam.max_p_referable = max(
        (grading.p_referable for grading in gradings if grading.p_referable is not None), default=None
    )
    exam.is_oedema_suspected = any(grading.suspects_oedema for grading in gradings)
    exam.worklist_rank = policy.worklist_rank(
        grades=grades,
        is_any_referable=any(grading.is_referable for grading in gradings),
        is_any_oedema_suspected=exam.is_oedema_suspected,
        is_any_eye_ungraded=is_ungraded,
        is_any_pending=is_pending,
        is_any_negative_limited=bool(limited_negatives(gradings)),
    )
    exam.quality = policy.exam_quality(
        is_any_eye_ungraded=is_ungraded, is_any_pending=is_pending, is_any_limited=bool(limited_fields(gradings))
    )
    exam.worklist_band = _band(exam, locked)
    if [getattr(exam, name) for name in _ORDER_FIELDS] != before:
        exam.save(update_fields=[*_ORDER_FIELDS])
    update_priority_later(locked.site)


def _band(exam: Exam, stored: Exam) -> policy.WorklistBand:
    return policy.worklist_band(
        policy.WorklistRank(exam.worklist_rank),
        is_blind_first=stored.site.is_blind_first,
        is_priority=stored.worklist_band == policy.WorklistBand.PRIORITY,
    )


def update_priority_later(site: Site) -> None:
    """Update the priority band of a blind-first site after this transaction.

    Call it in each transaction after which other exams wait, or the model suspects others. NB: not in the transaction
    itself, which has an exam locked: the update locks others, and two of them would wait for each other.
    """
    if site.is_blind_first:
        transaction.on_commit(partial(update_priority, site.pk), robust=True)


@transaction.atomic
def update_priority(site_id: UUID) -> None:
    """Store which waiting exams of a blind-first site are in the priority band (``policy.priority_exams``).

    Within each quality of photographs: a reader sees the quality, and of a good exam in the band it would be likelier
    that it is suspected if the random ones were of any quality.
    """
    site = Site.objects.select_for_update(no_key=True).get(pk=site_id)
    if not site.is_blind_first:
        return
    exams = Exam.objects.filter(site=site).order_by("due_at", "pk")
    waiting = exams.filter(status__in=WAITING)
    is_priority = {"worklist_band": policy.WorklistBand.PRIORITY.value}
    is_suspected = {"worklist_rank": policy.WorklistRank.SIGHT_THREATENING.value}
    before = set(exams.filter(**is_priority).values_list("pk", flat=True))
    suspected = _by_quality(waiting.filter(**is_suspected))
    sampled = _by_quality(waiting.filter(**is_priority).exclude(**is_suspected))
    incomplete = [quality for quality in suspected if len(sampled[quality]) < len(suspected[quality])]
    others = _by_quality(
        waiting.filter(quality__in=incomplete).exclude(**is_suspected).exclude(**is_priority)
        if incomplete
        else Exam.objects.none()
    )
    after: set[UUID] = set()
    for quality in policy.ExamQuality:
        after |= policy.priority_exams(suspected=suspected[quality], sampled=sampled[quality], others=others[quality])
    exams.filter(pk__in=before - after).update(worklist_band=policy.WorklistBand.BY_DUE_TIME)
    exams.filter(pk__in=after - before).update(**is_priority)
    for exam in Exam.objects.filter(pk__in=after - before).order_by("pk"):
        record_event(verb=AuditEvent.Verb.EXAM_PRIORITISED, subject=exam, site=site, by=None)


def _by_quality(exams: QuerySet[Exam]) -> defaultdict[str, list[UUID]]:
    """Ids of exams in their order, by the quality of their photographs."""
    ids: defaultdict[str, list[UUID]] = defaultdict(list)
    for quality, pk in exams.values_list("quality", "pk"):
        ids[quality].append(pk)
    return ids


def update_bands_of_site(site: Site) -> None:
    """Store the bands of the waiting exams of a site after a change of its reading mode. One transaction for each."""
    for exam in Exam.objects.filter(site=site, status__in=WAITING).iterator():
        with transaction.atomic():
            locked = Exam.objects.select_for_update(of=("self",)).select_related("site").get(pk=exam.pk)
            locked.worklist_band = _band(locked, locked)
            locked.save(update_fields=["worklist_band"])
    update_priority(site.pk)


def update_due_times_of_site(site: Site) -> None:
    """Store the due times of the waiting exams of a site after a change of its reading targets."""
    for urgency in policy.Urgency:
        waiting = Exam.objects.filter(site=site, status__in=WAITING, reading_urgency=urgency)
        waiting.update(due_at=F("submitted_at") + site.reading_target(urgency))


def locking(exam_id: UUID) -> Exists:
    """A condition of an UPDATE that is always met: it locks the exam, before the rows that are changed.

    NB: code that locks both locks the exam first, or skips what is locked. Two that wait for each other fail.
    """
    return Exists(Exam.objects.select_for_update(no_key=True).filter(pk=exam_id))


def update_order_of_image(image: FundusImage) -> None:
    """As ``update_worklist_order``, for a photograph whose exam, as it was read with it, is locked now.

    It may have been moved to another exam before that lock.
    """
    rows = _gradings_of(image.exam, "image__exam__site", *(f"image__exam__{name}" for name in _EXAM_FIELDS))
    locked = next((grading.image.exam for grading in rows if grading.image_id == image.pk), None)
    # A move locks the exam that it leaves: with that lock here, the photograph stays where it is now.
    if locked is None:
        image.refresh_from_db(fields=["exam"])
        update_worklist_order(image.exam)
    else:
        _store_order(image.exam, locked, rows)


def update_orders_of_site(site: Site) -> None:
    """Store the order of the exams that wait and have photographs with several gradings: the model of the site changed.

    One transaction for each exam.
    """
    waiting = Exam.objects.filter(site=site, status__in=PHOTOGRAPHED | WAITING)
    graded_again = FundusImage.objects.annotate(n=Count("gradings")).filter(exam=OuterRef("pk"), n__gt=1)
    for exam in waiting.filter(Exists(graded_again)).iterator():
        with transaction.atomic():
            update_worklist_order(exam)


def _gradings_of(exam: Exam, related: str = "image", *fields: str) -> list[Grading]:
    """All gradings of an exam, also of withdrawn photographs, those that are current first.

    ``related``, ``fields``: what is read with each, of its photograph.
    """
    gradings = Grading.objects.filter(image__exam=exam).select_related(related)
    return list(current_first(gradings.only(*_GRADING_FIELDS, *fields)))


def _current(gradings: Iterable[Grading]) -> list[Grading]:
    """The current grading of each photograph in use."""
    current: dict[UUID, Grading] = {}
    for grading in gradings:
        if not grading.image.is_withdrawn:
            current.setdefault(grading.image_id, grading)
    return list(current.values())

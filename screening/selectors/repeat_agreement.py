"""Agreement of readers with themselves: the repeats that they have read, beside their own first readings."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from screening.access import Action, restrict
from screening.models import FirstReading, ReadingEye, Repeat, Site, User
from screening.policy import MacularOedema
from screening.policy.agreement import Agreement, ComparedEye, EyeGrade, compute_agreement
from screening.policy.repeats import RepeatState


@dataclass(frozen=True, slots=True)
class RepeatAgreement:
    """Of one reader; ``n_equal`` of ``agreement.n_graded`` eyes have the same grade twice.

    In ``agreement`` the first reading takes the place of the signed finding.
    """

    reader: User
    n_exams: int
    n_equal: int
    agreement: Agreement


def read_repeats(*, user: User, site: Site) -> QuerySet[Repeat]:
    """The repeats of a site that were read, newest first, with both readings, for its managers."""
    rows = restrict(Repeat.objects.filter(exam__site=site, state=RepeatState.DONE), user, Action.MANAGE_SITE)
    first = Prefetch("exam__first_readings", FirstReading.objects.order_by("laterality"))
    rows = rows.select_related("reader", "exam__site", "review", "reading")
    return rows.prefetch_related(first, "reading__eyes").order_by("-reading__signed_at", "pk")


def repeat_readers(*, user: User, site: Site) -> QuerySet[User]:
    """Readers with a repeat of the site, by name, with the numbers ``n_waiting`` and ``n_dropped``."""
    rows = restrict(Repeat.objects.filter(exam__site=site), user, Action.MANAGE_SITE)
    states = {"n_waiting": [RepeatState.WAITING, RepeatState.TAKEN], "n_dropped": [RepeatState.DROPPED]}
    of_site = Q(repeats__in=rows)
    counts = {name: Count("repeats", filter=of_site & Q(repeats__state__in=codes)) for name, codes in states.items()}
    return User.objects.filter(repeats__in=rows).distinct().annotate(**counts).order_by("username", "pk")


def repeat_agreements(*, user: User, site: Site, readers: Sequence[User]) -> list[RepeatAgreement]:
    """The figures of some readers of ``repeat_readers``; three queries, and half a second for a thousand eyes."""
    repeats: dict[UUID, list[Repeat]] = defaultdict(list)
    for one in read_repeats(user=user, site=site).filter(reader__in=readers):
        repeats[one.reader_id].append(one)
    return [_agreement(reader, repeats[reader.pk]) for reader in readers]


def eyes_of(repeat: Repeat) -> Iterator[tuple[str, FirstReading, ReadingEye]]:
    """Each eye that was read twice: its laterality, the first reading, the repeat."""
    assert repeat.reading is not None  # noqa: S101 (for the type: it is read)
    again = {one.laterality: one for one in repeat.reading.eyes.all()}
    for first in repeat.exam.first_readings.all():
        is_same = first.reviewer_id == repeat.reader_id and first.reading_round == repeat.reading_round
        if is_same and first.laterality in again:
            yield first.laterality, first, again[first.laterality]


def _agreement(reader: User, repeats: Sequence[Repeat]) -> RepeatAgreement:
    eyes = [
        ComparedEye(group=str(repeat.exam_id), signed=_grade(first), found=_grade(again))
        for repeat in repeats
        for _laterality, first, again in eyes_of(repeat)
    ]
    n_equal = sum(one.signed.grade is not None and one.signed.grade == one.found.grade for one in eyes)
    return RepeatAgreement(reader, len(repeats), n_equal, compute_agreement(eyes))


def _grade(eye: Any) -> EyeGrade:
    return EyeGrade(eye.grade if eye.is_gradable else None, MacularOedema(eye.macular_oedema))

"""Length of the queue and results of the last hour, for health checks and metrics. No personal data."""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Min, Q
from django.utils import timezone

from screening.models import Grading

WINDOW = datetime.timedelta(hours=1)
Status = Grading.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """Gradings that wait or run now, and those of the last hour by ``queued_at``.

    ``oldest_waiting_s`` is 0 if none waits; bulk, that no user waits for, does not count. ``n_failed`` is by failure
    code; ``durations_s``, of the gradings that are done, is by model. ``gradable_fraction``, in [0, 1], is None
    without any.
    """

    n_waiting: int
    n_running: int
    oldest_waiting_s: float
    n_done: dict[str, int]
    n_failed: dict[str, int]
    durations_s: dict[str, list[float]]
    gradable_fraction: float | None


def read_queue_stats() -> QueueStats:
    """Run four queries. All use the index of status and time, so they stay fast in a large table."""
    now = timezone.now()
    waiting = Grading.objects.filter(status=Status.QUEUED).aggregate(
        n=Count("pk"), oldest=Min("queued_at", filter=Q(is_bulk=False))
    )
    recent = Grading.objects.filter(queued_at__gte=now - WINDOW).order_by()
    done = list(recent.filter(status=Status.DONE).values_list("model", "is_gradable", "duration_ms"))
    failed = recent.filter(status=Status.FAILED).values_list("failure_code").annotate(n=Count("pk"))
    return QueueStats(
        n_waiting=waiting["n"],
        n_running=Grading.objects.filter(status=Status.RUNNING).count(),
        oldest_waiting_s=_age_s(waiting["oldest"], now),
        n_done=Counter(model for model, _is_gradable, _ms in done),
        n_failed=dict(failed),
        durations_s=_durations_s(done),
        gradable_fraction=sum(bool(is_gradable) for _, is_gradable, _ in done) / len(done) if done else None,
    )


def _durations_s(done: list[tuple[str, bool | None, int | None]]) -> dict[str, list[float]]:
    durations: dict[str, list[float]] = {}
    for model, _is_gradable, ms in done:
        if ms is not None:
            durations.setdefault(model, []).append(ms / 1000)
    return durations


def oldest_waiting_s() -> float:
    """Seconds since the oldest waiting grading was queued, bulk aside; 0 if none waits."""
    oldest = Grading.objects.filter(status=Status.QUEUED, is_bulk=False).aggregate(at=Min("queued_at"))["at"]
    return _age_s(oldest, timezone.now())


def _age_s(at: datetime.datetime | None, now: datetime.datetime) -> float:
    return 0.0 if at is None else max(0.0, (now - at).total_seconds())

"""``/metrics`` for Prometheus: requests as each process counted them, gradings as the database knows them.

Several processes serve: with ``PROMETHEUS_MULTIPROC_DIR`` (``drsite.wsgi`` sets it) they count in files of one folder,
and whichever is asked adds these up. A process that takes another's slot (``PROMETHEUS_WORKER_SLOT``,
deploy/gunicorn_conf.py) counts on in its files, so that they stay as few as the processes. What workers do is read from
the database, so their processes need no address.
"""

import hmac
import math
import os
from collections.abc import Iterable, Iterator

import prometheus_client.values
import redis
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ml.errors import BundleError
from screening.health import worker_heartbeat
from screening.health.queue_stats import QueueStats, read_queue_stats
from screening.services import inference


def _worker_slot() -> int:
    """Which of the server's files this process counts in: no two at a time have the same."""
    return int(os.environ.get("PROMETHEUS_WORKER_SLOT") or os.getpid())


if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    prometheus_client.values.ValueClass = prometheus_client.values.MultiProcessValue(_worker_slot)  # type: ignore[no-untyped-call]

_PROCESS_REGISTRY = CollectorRegistry()
_requests = Counter("drs_requests", "Requests answered.", ["view", "method", "status"], registry=_PROCESS_REGISTRY)
_request_seconds = Histogram(
    "drs_request_seconds",
    "Seconds to answer a request, without sending its body.",
    ["view"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_PROCESS_REGISTRY,
)
QUANTILES = (0.5, 0.95, 1.0)


def count_request(*, view: str, method: str, status: int, seconds: float) -> None:
    """Add one answered request. ``view`` is the name of its address, never the address itself."""
    _requests.labels(view, method, str(status)).inc()
    _request_seconds.labels(view).observe(seconds)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 where no METRICS_TOKEN is set, 401 without it as bearer token, else Prometheus' text."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    is_known = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not is_known:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(_text(), content_type=CONTENT_TYPE_LATEST)


def _text() -> bytes:
    stored = CollectorRegistry()
    stored.register(_DatabaseCollector())
    counted = _PROCESS_REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(stored)


class _DatabaseCollector(Collector):
    """What database, broker and bundle say at this moment."""

    def collect(self) -> Iterator[Metric]:
        """A part that is unavailable is told by its ``up``, and leaves its numbers out: none is made up."""
        try:
            stats = read_queue_stats()
        except DatabaseError:
            yield _gauge("drs_database_up", "Whether the database answers.", 0)
        else:
            yield _gauge("drs_database_up", "Whether the database answers.", 1)
            yield from _queue_metrics(stats)
        yield from _worker_metrics()
        yield from _model_metrics()


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


def _labelled(name: str, documentation: str, label: str, rows: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for value, number in rows:
        family.add_metric([value], number)
    return family


def _queue_metrics(stats: QueueStats) -> Iterator[Metric]:
    yield _gauge("drs_queue_depth", "Photographs that wait to be graded.", stats.n_waiting)
    yield _gauge("drs_queue_oldest_age_seconds", "Age of the oldest one.", stats.oldest_waiting_s)
    yield _gauge("drs_gradings_running", "Photographs being graded.", stats.n_running)
    yield _gauge("drs_gradings_done_last_hour", "Of those queued in the last hour.", stats.n_done)
    yield _labelled(
        "drs_gradings_failed_last_hour", "Of those queued in the last hour.", "reason", stats.n_failed.items()
    )
    yield _gauge("drs_gradings_failed_last_hour_sum", "For all reasons.", sum(stats.n_failed.values()))
    if stats.durations_s:
        rows = [(str(q), _quantile(stats.durations_s, q)) for q in QUANTILES]
        yield _labelled("drs_grading_seconds_last_hour", "Seconds of a worker for one photograph.", "quantile", rows)
    if stats.gradable_fraction is not None:
        yield _gauge(
            "drs_gradable_fraction_last_hour", "Fraction that could be graded, 0 to 1.", stats.gradable_fraction
        )


def _quantile(ordered: tuple[float, ...], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _worker_metrics() -> Iterator[Metric]:
    if not worker_heartbeat.broker_is_shared():
        return
    try:
        n_alive = len(worker_heartbeat.list_live_workers())
    except (redis.RedisError, OSError):
        yield _gauge("drs_broker_up", "Whether the broker answers.", 0)
        return
    yield _gauge("drs_broker_up", "Whether the broker answers.", 1)
    yield _gauge("drs_workers", "Grading workers with a recent heartbeat.", n_alive)


def _model_metrics() -> Iterator[Metric]:
    try:
        version = inference.current_bundle().model_version
    except (BundleError, OSError):
        return
    yield InfoMetricFamily("drs_model", "The model that grades new photographs.", value={"version": version})

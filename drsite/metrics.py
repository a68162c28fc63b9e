"""``/metrics`` for Prometheus: requests as each process counted them, gradings as the database knows them.

Several processes serve: with ``PROMETHEUS_MULTIPROC_DIR`` (``drsite.wsgi`` sets it) they count in files of one folder,
and whichever is asked adds these up. A process that takes another's place (``METRICS_PLACE``, deploy/gunicorn_conf.py)
counts on in its files, so that they stay as few as the processes. What workers do is read from the database, so their
processes need no address.
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
from screening.health.queue_stats import Workload, read_workload
from screening.services import inference


def _place() -> int:
    """Which of the server's files this process counts in: no two at a time have the same."""
    return int(os.environ.get("METRICS_PLACE") or os.getpid())


if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    prometheus_client.values.ValueClass = prometheus_client.values.MultiProcessValue(_place)  # type: ignore[no-untyped-call]

_COUNTED_HERE = CollectorRegistry()
_requests = Counter("drs_requests", "Requests answered.", ["view", "method", "status"], registry=_COUNTED_HERE)
_request_seconds = Histogram(
    "drs_request_seconds",
    "Seconds to answer a request, without sending its body.",
    ["view"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_COUNTED_HERE,
)
QUANTILES = (0.5, 0.95, 1.0)


def count_request(*, view: str, method: str, status: int, seconds: float) -> None:
    """Add one answered request. ``view`` is the name of its address, never the address itself."""
    _requests.labels(view, method, str(status)).inc()
    _request_seconds.labels(view).observe(seconds)


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
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
    stored.register(_Stored())
    counted = _COUNTED_HERE
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(stored)


class _Stored(Collector):
    """What database, broker and bundle say at this moment."""

    def collect(self) -> Iterator[Metric]:
        """A part that is away is told by its ``up``, and leaves its numbers out: none is made up."""
        try:
            workload = read_workload()
        except DatabaseError:
            yield _gauge("drs_database_up", "Whether the database answers.", 0)
        else:
            yield _gauge("drs_database_up", "Whether the database answers.", 1)
            yield from _of_workload(workload)
        yield from _of_workers()
        yield from _of_model()


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _labelled(name: str, words: str, label: str, rows: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in rows:
        family.add_metric([value], number)
    return family


def _of_workload(workload: Workload) -> Iterator[Metric]:
    yield _gauge("drs_queue_depth", "Photographs that wait to be graded.", workload.n_waiting)
    yield _gauge("drs_queue_oldest_age_seconds", "Age of the oldest one.", workload.oldest_waiting_s)
    yield _gauge("drs_gradings_running", "Photographs being graded.", workload.n_running)
    yield _gauge("drs_gradings_done_last_hour", "Of those queued in the last hour.", workload.n_done)
    yield _labelled(
        "drs_gradings_failed_last_hour", "Of those queued in the last hour.", "reason", workload.n_failed.items()
    )
    yield _gauge("drs_gradings_failed_last_hour_sum", "For all reasons.", sum(workload.n_failed.values()))
    if workload.durations_s:
        rows = [(str(q), _quantile(workload.durations_s, q)) for q in QUANTILES]
        yield _labelled("drs_grading_seconds_last_hour", "Seconds of a worker for one photograph.", "quantile", rows)
    if workload.gradable_share is not None:
        yield _gauge("drs_gradable_share_last_hour", "Share that could be graded, 0 to 1.", workload.gradable_share)


def _quantile(ordered: tuple[float, ...], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _of_workers() -> Iterator[Metric]:
    if not worker_heartbeat.broker_is_shared():
        return
    try:
        n_alive = len(worker_heartbeat.list_alive())
    except (redis.RedisError, OSError):
        yield _gauge("drs_broker_up", "Whether the broker answers.", 0)
        return
    yield _gauge("drs_broker_up", "Whether the broker answers.", 1)
    yield _gauge("drs_workers", "Grading workers that gave a sign of life.", n_alive)


def _of_model() -> Iterator[Metric]:
    try:
        version = inference.current_bundle().model_version
    except (BundleError, OSError):
        return
    yield InfoMetricFamily("drs_model", "The model that grades new photographs.", value={"version": version})

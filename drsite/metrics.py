"""Metrics for Prometheus (``/metrics``): requests of all web processes, and gradings from the database.

Web processes count in files of ``PROMETHEUS_MULTIPROC_DIR`` (set by ``drsite.wsgi``), and each answer is their sum. A
process continues the files of the one that it replaces (``PROMETHEUS_WORKER_SLOT``, set by deploy/gunicorn_conf.py), so
that there are no more files than processes. Workers export nothing: the database has the results of their work.
"""

import hmac
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
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
    """Number of the file in which this process counts. No two processes have the same at a time."""
    return int(os.environ.get("PROMETHEUS_WORKER_SLOT") or os.getpid())


if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    prometheus_client.values.ValueClass = prometheus_client.values.MultiProcessValue(_worker_slot)  # type: ignore[no-untyped-call]

_PROCESS_REGISTRY = CollectorRegistry()
_requests = Counter("drs_requests", "Requests answered.", ["view", "method", "status"], registry=_PROCESS_REGISTRY)
_request_seconds = Histogram(
    "drs_request_seconds",
    "Seconds to answer a request, without sending the body.",
    ["view"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_PROCESS_REGISTRY,
)
QUANTILES = (0.5, 0.95, 1.0)


def count_request(*, view: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. ``view`` is the name of the URL pattern: a path may hold personal data."""
    _requests.labels(view, method, str(status)).inc()
    _request_seconds.labels(view).observe(seconds)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics in the text format of Prometheus; 401 without METRICS_TOKEN as bearer token, 404 if none is set."""
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
    """Metrics of database, broker and bundle at the moment of the request."""

    def collect(self) -> Iterator[Metric]:
        """An unavailable component has the metric ``up`` 0, and its other metrics are missing."""
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


def _labelled(name: str, documentation: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _queue_metrics(stats: QueueStats) -> Iterator[Metric]:
    yield _gauge("drs_queue_depth", "Photographs that wait for grading.", stats.n_waiting)
    yield _gauge("drs_queue_oldest_age_seconds", "Seconds that the oldest of them has waited.", stats.oldest_waiting_s)
    yield _gauge("drs_gradings_running", "Photographs being graded.", stats.n_running)
    done = {str(model): stats.n_done.get(model, 0) for model in settings.GRADING_MODELS}
    yield _labelled("drs_gradings_done_last_hour", "Done, of those queued in the last hour.", "model", done)
    yield _labelled("drs_gradings_failed_last_hour", "Failed, of the same.", "reason", stats.n_failed)
    yield _gauge("drs_gradings_failed_last_hour_sum", "Failed for any reason.", sum(stats.n_failed.values()))
    yield _durations(stats.durations_s)
    if stats.gradable_fraction is not None:
        yield _gauge("drs_gradable_fraction_last_hour", "Gradable photographs, 0 to 1.", stats.gradable_fraction)


def _durations(durations_s: Mapping[str, Sequence[float]]) -> GaugeMetricFamily:
    name, documentation = "drs_grading_seconds_last_hour", "Seconds of a worker for a photograph."
    family = GaugeMetricFamily(name, documentation, labels=["model", "quantile"])
    for model, durations in durations_s.items():
        for q, seconds in zip(QUANTILES, np.quantile(durations, QUANTILES, method="inverted_cdf"), strict=True):
            family.add_metric([model, str(q)], float(seconds))
    return family


def _worker_metrics() -> Iterator[Metric]:
    if not worker_heartbeat.broker_is_shared():
        return
    try:
        workers = worker_heartbeat.list_live_workers()
    except (redis.RedisError, OSError):
        yield _gauge("drs_broker_up", "Whether the broker answers.", 0)
        return
    yield _gauge("drs_broker_up", "Whether the broker answers.", 1)
    n_grading = sum(workers.values())
    yield _gauge("drs_workers", "Workers with a recent heartbeat that grade.", n_grading)
    yield _gauge("drs_workers_without_model", "Workers that cannot load their model.", len(workers) - n_grading)


def _model_metrics() -> Iterator[Metric]:
    family = InfoMetricFamily("drs_model", "The models that grade new photographs.", labels=["model"])
    for model in settings.GRADING_MODELS:
        try:
            family.add_metric([model], {"version": inference.current_bundle(model).model_version})
        except (BundleError, OSError):
            continue
    yield family

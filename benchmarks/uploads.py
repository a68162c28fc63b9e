"""Clients that send photographs over HTTP, each one after the other, and poll until each is graded."""

import datetime
import http.client
import itertools
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.clinics import Clinic

FIRST_POLL_S, MAX_POLL_S, POLL_GROWTH = 0.05, 1.0, 1.5
BOUNDARY, TODAY = "photograph", datetime.datetime.now(datetime.UTC).date().isoformat()


@dataclass(slots=True)
class Measured:
    """Of one number of clients: seconds of each step of each photograph, statuses of errors, and the seconds in all.

    ``graded_s`` is the time from the upload to the poll that saw the result, ``graded_at_s`` when that was.
    """

    n_clients: int
    upload_s: list[float] = field(default_factory=list)
    graded_s: list[float] = field(default_factory=list)
    graded_at_s: list[float] = field(default_factory=list)
    predict_s: list[float] = field(default_factory=list)
    gradings: list[str] = field(default_factory=list)
    errors: Counter[int] = field(default_factory=Counter)
    began_at: float = field(default_factory=time.monotonic)
    sending_s: float = 0.0


def percentiles(values: Sequence[float]) -> str:
    """Median and 99th percentile in seconds."""
    if not values:
        return "-"
    median, high = np.percentile(values, [50, 99])
    return f"{median:.2f} / {high:.2f} s"


def a_minute(seconds: Sequence[float]) -> str:
    """How many of these times fall into each minute, a second; the last minute alone may be shorter.

    That one is left out unless it is the only one.
    """
    if not seconds:
        return "-"
    n_minutes = max(1, int(max(seconds) // 60))
    length = min(60.0, max(seconds))
    counts = Counter(int(one // 60) for one in seconds)
    return ", ".join(f"{counts[minute] / length:.1f}" for minute in range(n_minutes))


def form(photo: bytes, **fields: str) -> bytes:
    """Multipart form with a photograph."""
    fields_of_form = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="eye.jpg"\r\n\r\n'
    return "".join(fields_of_form).encode() + head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


class Clients:
    """Clients of one site. Each photograph goes to the next exam.

    ``is_bulk``: no user waits for the photographs. ``poll_s``: seconds between polls, None: more and more.
    """

    def __init__(
        self,
        *,
        port: int,
        clinic: Clinic,
        photos: Sequence[bytes],
        is_bulk: bool = False,
        poll_s: float | None = None,
    ) -> None:
        self._port, self._headers = port, {"Authorization": f"Bearer {clinic.key}"}
        self._exams, self._photos = iter([str(exam.pk) for exam in clinic.exams]), itertools.cycle(photos)
        self._fields = {"is_bulk": "true"} if is_bulk else {}
        self._poll_s = poll_s
        self._lock = threading.Lock()

    def upload(self, *, n_clients: int, seconds: float) -> Measured:
        """Upload for some seconds, and wait until all that was accepted is graded."""
        return self._run(self._upload_one, n_clients=n_clients, seconds=seconds)

    def upload_some(self, n_photos: int) -> Measured:
        """Upload so many photographs with one client, which waits for each grading before the next upload."""
        return self._run(self._upload_one, n_clients=1, calls=itertools.repeat(None, n_photos))

    def send(self, n_photos: int, *, n_clients: int) -> None:
        """Upload so many photographs, and do not wait for their gradings. Raises RuntimeError if one is refused."""
        with ThreadPoolExecutor(n_clients) as pool:
            for future in [pool.submit(self.send_one) for _ in range(n_photos)]:
                future.result()

    def predict(self, *, n_clients: int, seconds: float) -> Measured:
        """``POST predict`` for some seconds."""
        return self._run(self._predict_one, n_clients=n_clients, seconds=seconds)

    def send_one(self) -> None:
        """Upload one photograph, and do not wait for its grading."""
        exam, photo = self._next()
        body = self._form(photo)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        status, answer = self._request(connection, "POST", f"exams/{exam}/images", body)
        connection.close()
        if status != 201:
            raise RuntimeError(f"The photograph was refused: {status} {answer}")

    def _form(self, photo: bytes) -> bytes:
        facts = {"laterality": "OD", "captured_on": TODAY, "confirm": "other_patient", "reason": "measurement"}
        return form(photo, **facts, **self._fields)

    def _run(
        self, step: Any, *, n_clients: int, seconds: float = math.inf, calls: Iterator[None] | None = None
    ) -> Measured:
        """Call ``step`` for some seconds, or for each of ``calls``."""
        measured = Measured(n_clients)

        def client() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
            for _ in itertools.repeat(None) if calls is None else calls:
                if time.monotonic() >= measured.began_at + seconds:
                    break
                step(connection, measured)
            connection.close()

        with ThreadPoolExecutor(n_clients) as pool:
            for future in [pool.submit(client) for _ in range(n_clients)]:
                future.result()
        measured.sending_s = time.monotonic() - measured.began_at
        return measured

    def _next(self) -> tuple[str, bytes]:
        with self._lock:
            return next(self._exams), next(self._photos)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, Any]:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        connection.request(method, f"/api/v1/{path}", body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")

    def _upload_one(self, connection: http.client.HTTPConnection, measured: Measured) -> None:
        exam, photo = self._next()
        body = self._form(photo)
        began = time.monotonic()
        status, answer = self._request(connection, "POST", f"exams/{exam}/images", body)
        if status != 201:
            with self._lock:
                measured.errors[status] += 1
            time.sleep(MAX_POLL_S)
            return
        uploaded = time.monotonic()
        grading = answer["grading"]["id"]
        with self._lock:
            measured.upload_s.append(uploaded - began)
            measured.gradings.append(grading)
        for pause in _pauses() if self._poll_s is None else itertools.repeat(self._poll_s):
            time.sleep(pause)
            status, answer = self._request(connection, "GET", f"gradings/{grading}")
            if status == 200 and answer["status"] in {"done", "failed"}:
                with self._lock:
                    measured.graded_s.append(time.monotonic() - began)
                    measured.graded_at_s.append(time.monotonic() - measured.began_at)
                return

    def _predict_one(self, connection: http.client.HTTPConnection, measured: Measured) -> None:
        _exam, photo = self._next()
        began = time.monotonic()
        status, _answer = self._request(connection, "POST", "predict?model=fast", form(photo))
        with self._lock:
            if status == 200:
                measured.predict_s.append(time.monotonic() - began)
            else:
                measured.errors[status] += 1
        if status != 200:
            time.sleep(MAX_POLL_S)


def _pauses() -> Iterator[float]:
    """Seconds before each poll, longer each time."""
    pause = FIRST_POLL_S
    while True:
        yield pause
        pause = min(MAX_POLL_S, pause * POLL_GROWTH)

"""Programs that send photographs, as docs/integration.md asks: they repeat a request with its Idempotency-Key."""

import http.client
import json
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.builders import photo_bytes
from tests.screening.wire import photo_form

DEADLINE_S = 200
"""After that a client gives up: the photograph is not accepted."""
PAUSE_S = 0.5


@dataclass
class Client:
    """Sends photographs to one exam.

    ``accepted`` has the id of the image for each that was stored, ``refused`` counts codes of errors meanwhile.
    """

    port: int
    key: str
    exam: str = ""
    accepted: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, path: str, body: bytes, content_type: str, key: str) -> tuple[int, Any]:
        """Status and JSON of one POST. Raises OSError or HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": content_type, "Idempotency-Key": key}
        try:
            connection.request("POST", f"/api/v1/{path}", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        """POST, repeated until it succeeds. Returns None after DEADLINE_S; raises AssertionError for a refusal."""
        key, deadline = uuid.uuid4().hex, time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                status, answer = self.request(path, body, content_type, key)
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 0, None
            if status in {200, 201}:
                return answer
            code = (answer or {}).get("code", "no answer")
            self.refused[code] += 1
            is_repeated = status in {0, 408, 429} or status >= 500 or code == "request_in_progress"
            assert is_repeated, (status, answer)
            time.sleep(PAUSE_S)
        return None

    def open_exam(self) -> str:
        """A new patient and exam."""
        details = {"mrn": uuid.uuid4().hex[:12], "given_name": "Test", "family_name": uuid.uuid4().hex[:8]}
        patient = self.post("patients", json.dumps({**details, "born_on": "1960-05-17"}).encode())
        self.exam = self.post("exams", json.dumps({"patient": patient["id"]}).encode())["id"]
        return self.exam

    def send(self, data: bytes) -> None:
        """Send a photograph of the right eye until it is accepted."""
        body, content_type = photo_form(data, laterality="OD")
        answer = self.post(f"exams/{self.exam}/images", body, content_type)
        if answer is not None:
            with self._lock:
                self.accepted.append(answer["id"])

    def send_all(self, photos: Iterable[bytes], *, n_threads: int = 4) -> None:
        """Send photographs from several threads."""
        with ThreadPoolExecutor(n_threads) as threads:
            list(threads.map(self.send, photos))

    def open_upload(self, data: bytes, fraction: float) -> socket.socket:
        """A connection that has sent the first part of an upload."""
        body, content_type = photo_form(data, laterality="OD")
        head = [
            f"POST /api/v1/exams/{self.exam}/images HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.key}",
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
        ]
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body[: int(len(body) * fraction)])
        return connection


def photos(n: int, *, seed: int) -> list[bytes]:
    """Different small photographs; as noise they are ungradable, which is a result."""
    return [photo_bytes(size=(160, 120), seed=seed * 1000 + number) for number in range(n)]

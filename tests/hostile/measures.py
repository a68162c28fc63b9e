"""What a file costs: seconds, memory of this process and of its decoders, delay of other requests.

This process may hold the networks of other tests: only what a file adds to its memory counts.
"""

import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ml.serving.decoders import child
from ml.serving.decoders.pool import Child

MB = 1024 * 1024


@dataclass
class Measures:
    """Of a file on one way in: responses, seconds of the slowest step, peak memory in MB.

    ``memory_mb`` is what this process needed more, ``decoder_mb`` all of a decoder. ``leftovers``: photographs
    without a row, rows without a photograph.
    """

    file: str
    route: str
    results: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory_mb: float = 0.0
    decoder_mb: float = 0.0
    leftovers: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        left = f"  LEFT {' '.join(self.leftovers)}" if self.leftovers else ""
        cost = f"{self.seconds:6.2f} s {self.memory_mb:5.0f} MB {self.decoder_mb:5.0f} MB"
        return f"{self.file:44} {self.route:5} {cost}  {' '.join(self.results)}{left}"


def peak_mb(pid: int | str = "self") -> float | None:
    """Peak resident memory of a process; None if it has ended."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int | str, name: str) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), None)


class DecoderMemory:
    """Peak memory of all decoders since the last ``reset``."""

    def __init__(self, children: Callable[[], set[Child]]) -> None:
        self._children = children
        self._ended = 0.0

    def reset(self) -> None:
        self._ended = 0.0

    def record_end(self, ended: Child) -> None:
        """Note the memory of a child that is about to be ended; if the system ended it, its limit."""
        self._ended = max(self._ended, peak_mb(ended.process.pid) or child.MAX_MEMORY_BYTES / MB)

    def peak(self) -> float:
        alive = [peak_mb(each.process.pid) or 0.0 for each in set(self._children())]
        return max([self._ended, *alive])


@contextmanager
def measured(measures: Measures, decoders: DecoderMemory) -> Iterator[None]:
    """Note seconds and memory of the block, if no other block of the file needed more."""
    gc.collect()  # responses of Django's test client refer to themselves and hold the body of their request
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins at the memory of now
    decoders.reset()
    before_mb = _status_mb("self", "VmRSS") or 0.0
    started = time.perf_counter()
    yield
    measures.seconds = max(measures.seconds, time.perf_counter() - started)
    measures.memory_mb = max(measures.memory_mb, (peak_mb() or 0.0) - before_mb)
    measures.decoder_mb = max(measures.decoder_mb, decoders.peak())


class OtherRequests(threading.Thread):
    """Sends a request three times a second, and records how long each took."""

    def __init__(self, request: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self._request = request
        self._ended = threading.Event()
        self.seconds: list[float] = []
        self.statuses: set[int] = set()

    def run(self) -> None:
        while not self._ended.wait(0.3):
            started = time.perf_counter()
            self.statuses.add(self._request())
            self.seconds.append(time.perf_counter() - started)

    def end(self) -> float:
        """The 95th percentile, in seconds."""
        self._ended.set()
        self.join()
        return statistics.quantiles(self.seconds, n=20)[-1]

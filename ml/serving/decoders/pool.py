"""A pool of child processes that decode files.

A separate thread starts them ahead of time, because the kernel ends a child with the thread that started it. A child
is replaced after MAX_FILES files and after any failure.
"""

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from ml.errors import DecoderUnavailable
from ml.serving.decoders.messages import BrokenMessage, packed, read_header
from ml.serving.files.rejections import OTHER_FORMATS, REJECTIONS, InvalidFile

T = TypeVar("T")
logger = logging.getLogger(__name__)
MAX_FILES = 100
"""Of one child: it limits what a file that took it over could do to others."""
MAX_FILE_S = 10.0
"""Wall-clock time of one file."""
MAX_WAIT_S = 15.0
"""Until a child is free."""
START_S = 30.0
_RETRY_S = 1.0
_START, _STOP = "start", "stop"
_PIPE_BYTES = 1 << 20
_ROOT = Path(__file__).resolve().parents[3]
_INHERITED = ("PATH", "LD_LIBRARY_PATH")


class Child:
    """One decoder. Raises OSError or BrokenMessage if it cannot be started."""

    def __init__(self) -> None:
        self.n_files = 0
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self.process = subprocess.Popen(  # noqa: S603 (constant arguments)
            [sys.executable, "-E", "-s", "-m", "ml.serving.decoders.child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={**kept, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
            start_new_session=True,
        )
        self._enlarge_pipes()
        with self.time_limit(START_S):
            read_header(self.replies)

    @property
    def requests(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101 (for the type)
        return self.process.stdin

    @property
    def replies(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 (for the type)
        return self.process.stdout

    def _enlarge_pipes(self) -> None:
        """For speed alone: the system limits the sum of all pipes."""
        if sys.platform == "linux":
            import fcntl

            for pipe in (self.requests, self.replies):
                with suppress(OSError):
                    fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Kill the child if the block takes longer: reading and writing then end."""
        timer = threading.Timer(seconds, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def end(self) -> None:
        """Kill the child and close its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.requests, self.replies):
            with suppress(OSError):  # what was not sent yet
                pipe.close()


class DecoderPool:
    """At most ``n_children`` children. Safe to share between threads; after a fork use another pool."""

    def __init__(self, n_children: int) -> None:
        self.n_children = n_children
        self.children: set[Child] = set()
        self._idle: queue.LifoQueue[Child] = queue.LifoQueue()
        self._due: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._starter: threading.Thread | None = None

    def start(self) -> None:
        """Start the children, without waiting for them. It does nothing the second time."""
        with self._lock:
            if self._starter is None:
                self._starter = threading.Thread(target=self._start_children, name="decoders", daemon=True)
                self._starter.start()
                for _ in range(self.n_children):
                    self._due.put(_START)

    def request(self, header: dict[str, Any], data: bytes, receive: Callable[[dict[str, Any], IO[bytes]], T]) -> T:
        """Send a file to a child, and what ``receive`` reads from the header and the payload of its reply.

        Raises InvalidFile if the child refuses the file, ends, or takes too long; DecoderUnavailable if there is no
        child in time.
        """
        child = self._take()
        is_healthy = False
        try:
            with child.time_limit(MAX_FILE_S):
                child.requests.write(packed({**header, "n_bytes": len(data)}))
                child.requests.write(data)
                child.requests.flush()
                reply = read_header(child.replies)
                if "error" in reply:
                    raise _refusal(reply["error"])
                result = receive(reply, child.replies)
        except (BrokenMessage, OSError):
            logger.warning("A decoder was ended by a file: %s", header.get("operation"))
            raise InvalidFile("over_limits") from None
        else:
            is_healthy = True
            return result
        finally:
            self._give_back(child, is_healthy=is_healthy)

    def stop(self) -> None:
        """End the children and the thread."""
        with self._lock:
            if self._starter is not None:
                self._due.put(_STOP)
                self._starter.join()
            self._starter = None
            while self.children:
                self.children.pop().end()

    def _take(self) -> Child:
        """An idle child that lives. Raises DecoderUnavailable."""
        self.start()
        deadline = time.monotonic() + MAX_WAIT_S
        while True:
            try:
                child = self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise DecoderUnavailable("No decoder was free in time.") from None
            if child.process.poll() is None:
                return child
            self._give_back(child, is_healthy=False)  # it ended while it was idle: no file is to blame

    def _give_back(self, child: Child, *, is_healthy: bool) -> None:
        child.n_files += 1
        if is_healthy and child.n_files < MAX_FILES:
            self._idle.put(child)
            return
        self.children.discard(child)
        child.end()
        self._due.put(_START)

    def _start_children(self) -> None:
        while self._due.get() == _START:
            try:
                child = Child()
            except (OSError, RuntimeError, BrokenMessage) as error:
                logger.error("A decoder could not be started (%s)", type(error).__name__)  # noqa: TRY400 (no text)
                time.sleep(_RETRY_S)
                self._due.put(_START)
            else:
                self.children.add(child)
                self._idle.put(child)


def _refusal(code: Any) -> InvalidFile:
    is_known = isinstance(code, str) and (code in REJECTIONS or code in OTHER_FORMATS)
    return InvalidFile(code if is_known else "over_limits")

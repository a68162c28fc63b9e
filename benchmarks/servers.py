"""The processes of an installation: gunicorn as in a container, workers and beat, at a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.cpu_limit import CpuLimit

PROJECT = Path(__file__).resolve().parents[1]
START_S, STOP_S = 90, 60
Process = subprocess.Popen[bytes]


def free_port() -> int:
    """A port that no process uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Servers:
    """An installation at the database and the Redis of the environment, with photographs and logs in ``folder``."""

    def __init__(self, folder: Path, *, database: str) -> None:
        self.folder, self.port, self._database = folder, free_port(), database
        self._environment = {**os.environ, "INSECURE_HTTP": "true", "VAR_DIR": str(folder), "DEBUG": "false"}
        self._environment |= {"STATIC_ROOT": str(folder / "static"), "GRADING_THREADS": "1", "LOG_LEVEL": "WARNING"}
        self._processes: dict[str, Process] = {}
        self._limits: list[CpuLimit] = []

    def start(self) -> None:
        """Collect the static files and start the web server and beat."""
        manage = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(manage, check=True, cwd=PROJECT, env=self._environment)  # noqa: S603
        bind = ["--bind", f"127.0.0.1:{self.port}"]
        self._start("web", "gunicorn", "--config", "deploy/gunicorn_conf.py", *bind, "drsite.wsgi:application")
        self._wait_for_port()
        schedule = ["--schedule", str(self.folder / "schedule"), "--pidfile", ""]
        self._start("beat", "celery", "-A", "drsite", "beat", *schedule)

    def start_workers(self, n: int) -> None:
        """Start workers with one process each, as in a container."""
        for number in range(n):
            options = ["--pool", "prefork", "--concurrency", "1", "--hostname", f"worker{number}@here"]
            self._start(f"worker{number}", "celery", "-A", "drsite", "worker", *options)

    def limit_workers(self, cores: float) -> None:
        """From now on each worker, with all its processes, gets at most so many cores of the processor."""
        for name, process in self._processes.items():
            if name.startswith("worker"):
                self._limits.append(CpuLimit(name, cores))
                for pid in _processes_of_group(process.pid):
                    self._limits[-1].add(pid)

    def stop(self) -> None:
        """End all processes; one that does not end in time is killed."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        self._processes.clear()
        while self._limits:
            self._limits.pop().remove()

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far: of the web server, of all workers, and of the connections to the database (Linux)."""
        used = {"web": 0.0, "worker": 0.0, "database": 0.0}
        for kind, folder in self._processes_of_kinds():
            with suppress(OSError):
                values = _status(folder)
                if kind in used:
                    used[kind] += sum(map(int, values[11:15])) / os.sysconf("SC_CLK_TCK")  # also of ended children
        return used

    def memory_mb(self, kind: str) -> tuple[int, int]:
        """Resident memory of the largest process of a kind, and of all of them, in megabytes (Linux)."""
        sizes = []
        for one, folder in self._processes_of_kinds():
            with suppress(OSError):
                if one == kind:
                    sizes.append(int(_status(folder)[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
        return round(max(sizes, default=0)), round(sum(sizes))

    def pause_workers(self) -> None:
        """Stop the processes of all workers; they take no photographs until ``resume_workers``."""
        self._signal_workers(signal.SIGSTOP)

    def resume_workers(self) -> None:
        self._signal_workers(signal.SIGCONT)

    def kill_workers(self) -> None:
        """End all workers with their children at once, as a failure of their machine does."""
        self._signal_workers(signal.SIGKILL)
        for name in [name for name in self._processes if name.startswith("worker")]:
            self._processes.pop(name).wait(STOP_S)

    def _signal_workers(self, number: signal.Signals) -> None:
        for name, process in self._processes.items():
            if name.startswith("worker"):
                os.killpg(process.pid, number)

    def _processes_of_kinds(self) -> Iterator[tuple[str, Path]]:
        """Kind and folder in /proc of each process of this installation; "database": of the connections to it."""
        kinds = {process.pid: name.rstrip("0123456789") for name, process in self._processes.items()}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_connection = f" {self._database} ".encode() in (folder / "cmdline").read_bytes()
                kind = "database" if is_connection else kinds.get(int(_status(folder)[2]))  # the group
                if kind is not None:
                    yield kind, folder

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", *command],
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_for_port(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"The web server has not started; see {self.folder}.")


def _processes_of_group(group: int) -> Iterator[int]:
    """Numbers of the processes of a group (Linux)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(_status(folder)[2]) == group:
                yield int(folder.name)


def _status(folder: Path) -> list[str]:
    """The values of a process from the third field of proc(5) on."""
    return (folder / "stat").read_text().rpartition(")")[2].split()

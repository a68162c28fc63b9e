"""Fixtures of the tests of faults. ``make faults`` runs them; other runs do not collect them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.outcome import Outcome, header
from tests.faults.servers import Installation, PostgresServer, postgres_programs
from tests.screening.processes import RedisServer

if not os.environ.get("FAULTS"):
    collect_ignore_glob = ["test_*.py"]
MEDIA_SIZE = "24m"
_lines: list[str] = []


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A site with its own PostgreSQL and Redis, one web server, beat and no worker."""
    programs = postgres_programs()
    if programs is None or shutil.which("redis-server") is None:
        pytest.skip("PostgreSQL (initdb) and Redis (redis-server) are needed on this machine")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    (folder / "redis").mkdir()
    postgres = PostgresServer(programs, folder / "postgres")
    redis = RedisServer(folder / "redis")
    redis.start()
    site = Installation(folder, postgres, redis)
    try:
        yield site
    finally:
        site.stop()
        redis.stop()
        with suppress(subprocess.CalledProcessError):
            postgres.control("stop")
        if os.environ.get("KEEP"):
            _lines.append(f"Logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def small_disk(installation: Installation) -> Iterator[Path]:
    """The folder of the photographs on a file system of MEDIA_SIZE; skips where none can be mounted."""
    options = ["-t", "tmpfs", "-o", f"size={MEDIA_SIZE},mode=0700", "tmpfs"]
    if subprocess.run(["mount", *options, str(installation.media)], capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield installation.media
    subprocess.run(["umount", "--lazy", str(installation.media)], check=True)


@pytest.fixture
def table() -> Iterator[list[tuple[str, Outcome]]]:
    """Rows that the end of the run prints."""
    rows: list[tuple[str, Outcome]] = []
    yield rows
    _lines.extend(outcome.line(fault) for fault, outcome in rows)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _lines:
        terminalreporter.section("photographs under faults")
        for line in (header(), *_lines):
            terminalreporter.write_line(line)

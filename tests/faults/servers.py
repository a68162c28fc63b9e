"""PostgreSQL, Redis, web server, workers and beat of one installation, which the tests of faults break."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.screening.processes import (
    DEADLINE_S,
    PROJECT,
    RedisServer,
    environment,
    free_port,
    is_open,
    kill_group,
    wait_until,
)

STALE_AFTER_S = 25
"""Shorter than the 90 s of a site. Above the longest grading of these tests, so that none is queued twice."""
PREPARE = """
from screening.models import Membership, Site, User
from screening.services.api_keys import issue_key
site = Site.objects.create(name="Faults", code="faults", timezone="UTC")
user = User.objects.create_user("faults")
for role in ("photographer", "reviewer", "manager"):
    Membership.objects.create(user=user, site=site, role=role)
print(issue_key(user=user, name="faults", by=None)[1])
"""


def postgres_programs() -> Path | None:
    """Folder of initdb and pg_ctl; None without them, or if they cannot run: PostgreSQL refuses to run as root."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    folder = Path(found).parent if found else folders[-1] if folders else None
    can_run = os.geteuid() != 0 or shutil.which("runuser") is not None
    return folder if folder is not None and can_run else None


class PostgresServer:
    """A PostgreSQL cluster in a new folder, at a free port."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.data, self.port = programs, folder / "cluster", free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        folder.chmod(0o777)
        self._run("initdb", "--pgdata", str(self.data), "--username", "postgres", "--auth", "trust", "--no-sync")
        self.control("start")

    def _run(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(self.programs / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=DEADLINE_S)

    def control(self, action: str) -> None:
        """Start, restart or stop, without waiting for clients."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        log = str(self.data.parent / "postgres.log")
        self._run(
            "pg_ctl", action, "--pgdata", str(self.data), "--mode", "immediate", "--wait", "--log", log, "-o", options
        )

    def terminate_connections(self) -> None:
        """End every connection of the installation, as a restarted proxy or network would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )


class Installation:
    """The processes of a site. ``media`` is the folder of its photographs."""

    def __init__(self, folder: Path, postgres: PostgresServer, redis: RedisServer) -> None:
        self.folder, self.postgres, self.redis, self.port = folder, postgres, redis, free_port()
        self.media = folder / "media"
        self.media.mkdir()
        self.settings = environment(
            postgres.url,
            REDIS_URL=redis.url,
            ALLOWED_HOSTS="127.0.0.1",
            MEDIA_ROOT=str(self.media),
            STATIC_ROOT=str(folder / "static"),
            VAR_DIR=str(folder),
            API_RATE="100000/min",
            API_PHOTO_RATE="100000/min",
            DEBUG="false",
        )
        self._manage("migrate", "--verbosity", "0")
        self._manage("collectstatic", "--no-input", "--verbosity", "0")
        self.key = self.run(PREPARE)
        bind = ["--bind", f"127.0.0.1:{self.port}"]
        self.web = self._start("web", "gunicorn", "--config", "deploy/gunicorn_conf.py", *bind, "drsite.wsgi")
        wait_until(lambda: is_open(self.port), "the web server started", self.web)
        schedule = str(folder / "schedule")
        self.beat = self._start("beat", "celery", "-A", "drsite", "beat", "--schedule", schedule, "--pidfile", "")
        self.workers: list[subprocess.Popen[bytes]] = []

    def _manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], check=True, cwd=PROJECT, env=self.settings)

    def run(self, code: str) -> str:
        """Run Python code with Django. Returns what it prints."""
        return subprocess.run(
            [sys.executable, "-c", f"import django\ndjango.setup()\n{code}"],
            check=True,
            cwd=PROJECT,
            env={**self.settings, "DJANGO_SETTINGS_MODULE": "drsite.settings"},
            capture_output=True,
            text=True,
        ).stdout.strip()

    def _start(self, name: str, *command: str, **settings: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=PROJECT,
                env={**self.settings, "GRADING_STALE_AFTER_S": str(STALE_AFTER_S), **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_worker(self, name: str = "worker", **settings: str) -> "subprocess.Popen[bytes]":
        """Start a worker with one process that grades, with other settings than usual."""
        options = ["--concurrency", "1", "--loglevel", "INFO", "--hostname", f"{name}@here"]
        self.workers.append(self._start(name, "celery", "-A", "drsite", "worker", *options, **settings))
        return self.workers[-1]

    def stop_workers(self) -> None:
        """Kill all workers, and empty the queue of what they had not finished: beat queues it again."""
        for worker in self.workers:
            kill_group(worker)
        self.workers.clear()

    def query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Rows; none while the database is unavailable."""
        with suppress(psycopg.Error), psycopg.connect(self.postgres.url, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()
        return []

    def stop(self) -> None:
        self.stop_workers()
        for process in (self.beat, self.web):
            process.send_signal(signal.SIGTERM)
        for process in (self.beat, self.web):
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            kill_group(process)

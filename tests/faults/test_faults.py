"""Photographs are uploaded while something breaks: none is lost, doubled or stuck. ``make faults`` prints the table.

Each test has its own exam at one installation, which the next test continues to use.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from celery import Celery

from ml.bundle import default_bundle
from ml.vocabulary import ServedModel
from screening.services.grading_queue import GRADE_NEXT_TASK
from tests.faults.clients import Client, photos
from tests.faults.outcome import Outcome, count_orphans, wait_for_outcome
from tests.faults.servers import Installation
from tests.screening.processes import kill_group, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("small_disk")]
N_PHOTOS = 24
Fault = Callable[[Installation, Client], None]


@contextmanager
def meanwhile(action: Callable[[], None]) -> Iterator[None]:
    """Run the block while ``action`` runs in a thread; wait for both."""
    thread = threading.Thread(target=action)
    thread.start()
    yield
    thread.join()


def upload_during(client: Client, seed: int, fault: Callable[[], None], *, n: int = N_PHOTOS) -> None:
    """Send photographs, a few before the fault."""
    with meanwhile(lambda: client.send_all(photos(n, seed=seed))):
        time.sleep(1)
        fault()


def status_of(site: Installation, image: str) -> str:
    rows = site.query("SELECT status FROM screening_grading WHERE image_id::text = %s", image)
    return str(rows[0][0]) if rows else ""


def file_of(site: Installation, image: str) -> Path:
    return site.media / str(site.query("SELECT file FROM screening_fundusimage WHERE id::text = %s", image)[0][0])


def no_fault(site: Installation, client: Client) -> None:
    site.start_worker()
    client.send_all(photos(N_PHOTOS, seed=1))


def postgres_restarted(site: Installation, client: Client) -> None:
    site.start_worker()
    upload_during(client, 2, lambda: site.postgres.control("restart"))


def connections_ended(site: Installation, client: Client) -> None:
    site.start_worker()

    def end() -> None:
        for _ in range(5):
            site.postgres.terminate_connections()
            time.sleep(0.7)

    upload_during(client, 3, end)


def redis_killed_and_emptied(site: Installation, client: Client) -> None:
    site.start_worker()

    def kill() -> None:
        assert site.redis.process is not None
        site.redis.process.kill()
        site.redis.stop()
        time.sleep(4)
        site.redis.start()

    upload_during(client, 4, kill)


def worker_killed_while_loading(site: Installation, client: Client) -> None:
    client.send_all(photos(3, seed=5))
    log = site.folder / "loading.log"
    for _ in range(2):
        n_before = log.read_text().count(" received") if log.exists() else 0
        worker = site.start_worker("loading")
        wait_until(lambda n=n_before: log.read_text().count(" received") > n, "it took a photograph", worker)  # type: ignore[misc]
        kill_group(worker)
    site.start_worker()


def worker_killed_while_reading(site: Installation, client: Client) -> None:
    """The file of a photograph is a pipe, so that the worker waits in the middle of the grading."""
    client.send_all(photos(1, seed=6))
    file = file_of(site, client.accepted[0])
    content = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    worker = site.start_worker()
    wait_until(lambda: status_of(site, client.accepted[0]) == "running", "the grading began", worker)
    kill_group(worker)
    file.unlink()
    file.write_bytes(content)
    site.start_worker()


def child_killed_while_reading(site: Installation, client: Client) -> None:
    client.send_all(photos(1, seed=7))
    file = file_of(site, client.accepted[0])
    content = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    worker = site.start_worker()
    wait_until(lambda: status_of(site, client.accepted[0]) == "running", "the grading began", worker)
    file.unlink()
    file.write_bytes(content)
    for child in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


def workers_killed_again_and_again(site: Installation, client: Client) -> None:
    def kill() -> None:
        for number in range(5):
            worker = site.start_worker(f"killed{number}")
            time.sleep(5)
            kill_group(worker)
        site.start_worker()

    upload_during(client, 8, kill, n=3 * N_PHOTOS)


def damaged_weights_on_one_of_two(site: Installation, client: Client) -> None:
    bundle = Path(shutil.copytree(default_bundle(ServedModel.ACCURATE), site.folder / "damaged"))
    weights = bundle / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    site.start_worker("damaged", ACCURATE_MODEL_BUNDLE=str(bundle))
    site.start_worker("healthy")
    client.send_all(photos(N_PHOTOS, seed=9))


def disk_full(site: Installation, client: Client) -> None:
    site.start_worker()

    def fill() -> None:
        big = site.media / "filler"
        with big.open("wb") as file, suppress(OSError):  # it is full
            while True:
                file.write(bytes(64 * 1024))
                file.flush()
        time.sleep(5)
        big.unlink()

    upload_during(client, 10, fill)
    assert client.refused["storage_unavailable"], "the disk was not full"


def disk_read_only(site: Installation, client: Client) -> None:
    site.start_worker()

    def remount() -> None:
        for state in ("ro", "rw"):
            subprocess.run(["mount", "-o", f"remount,{state}", str(site.media)], check=False)
            time.sleep(5)

    upload_during(client, 11, remount)
    assert client.refused["storage_unavailable"], "the disk was not read-only"


def clock_of_a_worker_a_day_wrong(site: Installation, client: Client) -> None:
    clock = str(Path(__file__).parent / "clock")
    site.start_worker("behind", PYTHONPATH=clock, CLOCK_OFFSET_S="-86400")
    site.start_worker("ahead", PYTHONPATH=clock, CLOCK_OFFSET_S="86400")
    site.start_worker()
    client.send_all(photos(N_PHOTOS, seed=12))


def every_message_six_times(site: Installation, client: Client) -> None:
    client.send_all(photos(N_PHOTOS, seed=13))
    app = Celery(broker=site.redis.url, set_as_current=False)
    rows = site.query("SELECT id::text FROM screening_grading WHERE image_id::text = ANY(%s)", client.accepted)
    for _ in range(5):
        for _row in rows:
            app.send_task(GRADE_NEXT_TASK)
    for number in range(2):
        site.start_worker(f"worker{number}")


def one_file_two_hundred_times(site: Installation, client: Client) -> None:
    site.start_worker()
    client.send_all(photos(1, seed=14) * 200, n_threads=20)
    assert len(client.accepted) == 200
    assert len(set(client.accepted)) == 1


def thirty_disconnects(site: Installation, client: Client) -> None:
    site.start_worker()
    for number, data in enumerate(photos(30, seed=15)):
        client.open_upload(data, fraction=number / 30).close()
    client.send_all(photos(30, seed=15))
    assert len(set(client.accepted)) == 30


def slow_clients(site: Installation, client: Client) -> None:
    site.start_worker()
    slow = [client.open_upload(data, fraction=0.5) for data in photos(20, seed=16)]
    started = time.monotonic()
    client.send_all(photos(N_PHOTOS, seed=17))
    assert time.monotonic() - started < 60, "others waited for the slow clients"
    for connection in slow:
        connection.close()


FAULTS: tuple[Fault, ...] = (
    no_fault,
    postgres_restarted,
    connections_ended,
    redis_killed_and_emptied,
    worker_killed_while_loading,
    worker_killed_while_reading,
    child_killed_while_reading,
    workers_killed_again_and_again,
    damaged_weights_on_one_of_two,
    disk_full,
    disk_read_only,
    clock_of_a_worker_a_day_wrong,
    every_message_six_times,
    one_file_two_hundred_times,
    thirty_disconnects,
    slow_clients,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_no_photograph_is_lost_doubled_or_stuck(
    fault: Fault, installation: Installation, table: list[tuple[str, Outcome]]
) -> None:
    client = Client(installation.port, installation.key)
    client.open_exam()
    try:
        fault(installation, client)
        outcome = wait_for_outcome(installation, client)
    finally:
        installation.stop_workers()
    table.append((fault.__name__.replace("_", " "), outcome))
    assert outcome.accepted
    assert (outcome.lost, outcome.doubled, outcome.stuck) == (0, 0, 0)
    assert outcome.done == outcome.accepted


def test_files_that_were_left_behind_are_swept(installation: Installation) -> None:
    """A file stays if its upload failed and the database could not say whether the row was stored."""
    a_week_ago = time.time() - 7 * 86_400
    for file in installation.media.rglob("*"):
        os.utime(file, (a_week_ago, a_week_ago))
    installation.run("from screening.services import orphaned_files; orphaned_files.delete_orphaned_files()")
    assert count_orphans(installation) == 0

"""Files of unknown origin are decoded in child processes, which they can take down alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml.errors import DecoderUnavailable
from ml.serving.decoders import decoders, messages, pool
from ml.serving.decoders.pool import Child, DecoderPool
from ml.serving.files.cleaning import clean_file
from ml.serving.files.rejections import InvalidFile
from tests.builders import photo_bytes

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]


@pytest.fixture(scope="module")
def processes() -> Iterator[DecoderPool]:
    decoders.use_processes(2)
    assert decoders._pool is not None
    yield decoders._pool
    decoders.use_processes(0)


def some_child(processes: DecoderPool) -> Child:
    decoders.decode(photo_bytes(), min_side_px=64)
    return next(iter(processes.children))


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        threading.Event().wait(0.02)
    pytest.fail(f"process {pid} still runs")


@pytest.mark.parametrize("format", FORMATS)
def test_a_child_gives_the_same_pixels_and_the_same_cleaned_file(processes: DecoderPool, format: str) -> None:  # noqa: A002
    data = photo_bytes(format, (300, 500))
    image, photo = decoders.decode(data, min_side_px=1000), decoders.clean(data)
    small = decoders.decode(data, min_side_px=100, reduce_all=True)
    decoders_pool, decoders._pool = decoders._pool, None
    try:
        assert image.tobytes() == decoders.decode(data, min_side_px=1000).tobytes()
        assert small.tobytes() == decoders.decode(data, min_side_px=100, reduce_all=True).tobytes()
        assert photo == decoders.clean(data) == clean_file(data)
    finally:
        decoders._pool = decoders_pool


def test_no_file_is_opened_in_this_process(processes: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a file was opened"))
    data = photo_bytes(size=(200, 100))
    assert decoders.decode(data, min_side_px=64).size == (200, 100)
    assert decoders.clean(data).width_px == 200
    assert decoders.upright_size(data) == (200, 100)
    assert decoders.reduced_jpeg(data, side_px=100)[1] == (100, 50)
    assert decoders.whole_png(data).startswith(b"\x89PNG")


def test_a_refusal_has_its_code(processes: DecoderPool) -> None:
    with pytest.raises(InvalidFile) as caught:
        decoders.clean(photo_bytes()[:500])
    assert caught.value.code == "damaged"


def test_a_child_has_no_secrets_and_no_files_but_its_pipes(
    processes: DecoderPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of-the-site")
    with (tmp_path / "open.txt").open("w") as inherited:
        os.set_inheritable(inherited.fileno(), True)  # noqa: FBT003 (its signature)
        child = Child()
    try:
        folder = Path(f"/proc/{child.process.pid}")
        assert b"of-the-site" not in (folder / "environ").read_bytes()
        files = {file.name: str(file.readlink()) for file in (folder / "fd").iterdir()}
        assert sorted(files) == ["0", "1", "2"]
        assert files["2"] == os.devnull
        loaded = (folder / "maps").read_text()
        assert not any(name in loaded for name in ("onnxruntime", "psycopg", "torch"))
    finally:
        child.end()


def test_a_child_has_limits_of_memory_and_files(processes: DecoderPool) -> None:
    limits = Path(f"/proc/{some_child(processes).process.pid}/limits").read_text()
    rows = {row[:26].strip(): row[26:].split()[0] for row in limits.splitlines()}
    assert int(rows["Max address space"]) == 600 * 1024 * 1024
    assert int(rows["Max file size"]) == 0
    assert 0 < int(rows["Max cpu time"]) < 20


def test_a_child_is_ended_first_if_memory_is_used_up(processes: DecoderPool) -> None:
    assert Path(f"/proc/{some_child(processes).process.pid}/oom_score_adj").read_text().strip() == "1000"


def test_a_child_that_is_killed_refuses_its_file_and_is_replaced(
    processes: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = messages.read_header

    def kill_first(stream: object) -> object:
        monkeypatch.setattr(pool, "read_header", original)
        for child in set(processes.children):
            os.kill(child.process.pid, signal.SIGKILL)
            wait_until_gone(child.process.pid)
        return original(stream)  # type: ignore[arg-type]

    some_child(processes)
    monkeypatch.setattr(pool, "read_header", kill_first)
    with pytest.raises(InvalidFile) as caught:
        decoders.clean(photo_bytes(size=(4000, 3000)))
    assert caught.value.code == "over_limits"
    assert decoders.clean(photo_bytes()).format == "JPEG"


def test_a_file_that_takes_too_long_is_refused(processes: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    child = some_child(processes)
    for each in processes.children:
        os.kill(each.process.pid, signal.SIGSTOP)
    monkeypatch.setattr(pool, "MAX_FILE_S", 0.2)
    with pytest.raises(InvalidFile) as caught:
        decoders.decode(photo_bytes(), min_side_px=64)
    assert caught.value.code == "over_limits"
    for each in set(processes.children):
        os.kill(each.process.pid, signal.SIGCONT)
    monkeypatch.undo()
    assert decoders.decode(photo_bytes(), min_side_px=64)
    del child


def test_a_child_is_replaced_after_its_files_and_after_a_failure(
    processes: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_child(processes)
    before = {child.process.pid for child in processes.children}
    with pytest.raises(InvalidFile):
        decoders.clean(photo_bytes()[:500])
    monkeypatch.setattr(pool, "MAX_FILES", 1)
    for _ in range(3):
        decoders.clean(photo_bytes())
    assert not before & {child.process.pid for child in processes.children}


def test_requests_wait_for_a_child_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_WAIT_S", 0.05)
    without_children = DecoderPool(0)
    with pytest.raises(DecoderUnavailable):
        without_children.request({"operation": "clean"}, photo_bytes(), lambda header, _stream: header)
    without_children.stop()


def test_threads_share_the_children(processes: DecoderPool) -> None:
    files = [photo_bytes(size=(64 + n, 80)) for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        widths = list(threads.map(lambda data: decoders.clean(data).width_px, files))
    assert widths == [64 + n for n in range(12)]
    assert len(processes.children) <= 2


def test_a_forked_process_has_its_own_children(processes: DecoderPool) -> None:
    some_child(processes)
    inherited = {child.process.pid for child in processes.children}
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            decoders.clean(photo_bytes())
            assert decoders._pool is not None
            own = {child.process.pid for child in decoders._pool.children}
            os.write(writer, b"own" if own and not own & inherited else b"shared")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"own"
    os.waitpid(forked, 0)
    assert decoders.clean(photo_bytes()).format == "JPEG"


def test_the_children_end_with_their_parent() -> None:
    program = (
        "from ml.serving.decoders import decoders\n"
        "from tests.builders import photo_bytes\n"
        "decoders.use_processes(1)\n"
        "decoders.clean(photo_bytes())\n"
        "print(*(child.process.pid for child in decoders._pool.children), flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    wait_until_gone(pid)

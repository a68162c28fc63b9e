"""A process with a limit gets so much of the processor (Linux, root)."""

import resource
import subprocess
import sys
import time

import pytest

from benchmarks.cpu_limit import CpuLimit

BUSY = "import sys, time\nsys.stdin.read(1)\nuntil = time.monotonic() + 0.5\nwhile time.monotonic() < until: pass"


@pytest.fixture
def limit() -> CpuLimit:
    try:
        return CpuLimit("test", 0.1)
    except SystemExit as error:
        pytest.skip(str(error))


def test_a_process_gets_its_share_of_a_core(limit: CpuLimit) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE) as process:
        time.sleep(0.2)  # its start is not limited
        limit.add(process.pid)
        process.communicate(b"x")
    limit.remove()
    used_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert used_s < 0.3, "half a second of computing with a tenth of a core"

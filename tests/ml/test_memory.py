"""Training keeps the memory that it will need again."""

import ctypes
import os
import subprocess
import sys

import pytest

RESIDENT_AFTER_FREEING = """
import os, sys
from ml.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
block = bytearray(b"x") * (100 << 20)
del block
print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)
"""


HAS_GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


@pytest.mark.skipif(not HAS_GLIBC, reason="only glibc keeps freed memory when told to")
def test_freed_memory_stays_with_the_process_that_asked_for_it() -> None:
    plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD" and "MALLOC" not in name}
    kept, given_back = (
        int(subprocess.check_output([sys.executable, "-c", RESIDENT_AFTER_FREEING, name], env=plain))
        for name in ("kept", "given back")
    )
    assert given_back < 100 <= kept

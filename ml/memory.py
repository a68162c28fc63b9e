"""Where freed memory goes: in training, back to the next step and not to the operating system.

``python -m ml.memory`` measures what it brings on this machine.
"""

import ctypes
import statistics
import subprocess
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8
"""Names of mallopt(3)'s settings."""
NEVER, NONE, ONE = -1, 0, 1
PAD_BYTES = 256 << 20

STEPS = """
import sys, time
from ml.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
import torch
from ml.networks.architectures import build
network = build("mobilenet_v3_small").to(memory_format=torch.channels_last).train()
x = torch.rand(32, 3, 288, 288).contiguous(memory_format=torch.channels_last)
for number in range(5):
    if number == 1:
        started = time.perf_counter()
    network(x).square().mean().backward()
print((time.perf_counter() - started) / 4)
"""


def keep_freed_memory() -> bool:
    """Have glibc keep what it once took, in one arena; whether there is a glibc to ask.

    Every step takes and frees the same hundreds of megabytes. Left alone, glibc maps each large tensor anew and the
    kernel clears its pages again, which can take as long as the arithmetic. For a process that trains and then ends:
    a server would hold its peak for ever. To be called before torch is imported: an arena once made stays. Another
    allocator that was put before glibc's is not asked.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((ARENA_MAX, ONE), (MMAP_MAX, NONE), (TRIM_THRESHOLD, NEVER), (TOP_PAD, PAD_BYTES))
    return all(mallopt(name, value) == 1 for name, value in wanted)


def main() -> None:
    """Print the seconds of a student's training step with freed memory kept and given back, three rounds in turn."""
    found: dict[str, list[float]] = {"given back": [], "kept": []}
    for _ in range(3):
        for name, seconds in found.items():
            seconds.append(float(subprocess.check_output([sys.executable, "-c", STEPS, name])))  # noqa: S603
    given_back, kept = (statistics.median(seconds) for seconds in found.values())
    print(f"freed memory given back: {given_back:.2f} s, kept: {kept:.2f} s, ratio {given_back / kept:.2f}")  # noqa: T201


if __name__ == "__main__":
    main()

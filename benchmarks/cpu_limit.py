"""A share of a core for a process, as a container with ``cpus`` has (Linux, root): several fit on a few cores."""

import os
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 20_000  # short, so that a process does not wait long between two times of computing


class CpuLimit:
    """A control group whose processes, together, get at most ``cores`` of the processor.

    Raises SystemExit if the machine does not let this process make one.
    """

    def __init__(self, name: str, cores: float) -> None:
        """``cores``: greater than 0; 0.25 is a quarter of one core."""
        has_one_tree = (_ROOT / "cgroup.controllers").exists()  # version 2 of control groups
        self._folder = (_ROOT if has_one_tree else _ROOT / "cpu") / f"screening-{name}-{os.getpid()}"
        quota = int(cores * _PERIOD_US)
        try:
            self._folder.mkdir()
            if has_one_tree:
                (self._folder / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
            else:
                (self._folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (self._folder / "cpu.cfs_quota_us").write_text(str(quota))
        except OSError as error:
            raise SystemExit(f"A limit of processor time needs root and control groups: {error}") from error

    def add(self, pid: int) -> None:
        """Limit a process and those that it starts from now on; those that it has started are not limited."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        """Remove the group; its processes must have ended."""
        self._folder.rmdir()

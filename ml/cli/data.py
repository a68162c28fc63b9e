"""The command that prepares data sets: ``python -m ml prepare``."""

import os
from dataclasses import dataclass

from ml.cli.names import printable
from ml.cli.options import CacheOptions


@dataclass(frozen=True, kw_only=True)
class Prepare(CacheOptions):
    """Read, crop, cache and inspect data sets of any known layout."""

    sources: tuple[str, ...] = ()
    """Folders below the data folder; none: the default ones, else all of a known layout."""
    cache_size: int = 256
    """Side of the cached fundus crops, in pixels."""
    workers: int = os.cpu_count() or 1
    """Processes that crop."""

    def run(self) -> int:
        from ml.data.inventory import describe_sources
        from ml.data.preparation import prepare_data, source_folders

        # before the photographs are cropped, which may take hours
        folders = source_folders(self.data, self.sources)
        print(printable(describe_sources(folders, others_in=None if self.sources else self.data)), flush=True)
        sources = list(self.sources) or None
        report = prepare_data(
            self.data, sources=sources, side_px=self.cache_size, cache=self.cache, n_workers=self.workers
        )
        print(printable(report))
        return 0

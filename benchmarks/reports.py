"""Print the processor time and the memory of clinical reports, made one after another in one process.

    python -m benchmarks.reports --reports 200

It uses a database in memory and synthetic photographs. The renditions of the photographs exist, as after a reader has
opened them.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
os.environ.update(DEBUG="true", DATABASE_URL="sqlite://:memory:", REPORTS_DIR="synthetic photographs")
MAX_CPU_S = 1.5


def main() -> int:
    """Make reports; 1 if one took more than MAX_CPU_S or the memory grew."""
    parser = argparse.ArgumentParser(description="Measure clinical reports.")
    parser.add_argument("--reports", type=int, default=100)
    n_reports: int = parser.parse_args().reports
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from screening.reports.making import pdf_of
    from tests.screening.factories import SiteFactory
    from tests.screening.reports.golden import GOLDEN, requested

    settings.MEDIA_ROOT = tempfile.mkdtemp()
    call_command("migrate", verbosity=0)
    document = requested(GOLDEN["chinese"](SiteFactory()), has_heatmaps=True)
    pdf_of(document)  # renditions, and the start of WeasyPrint
    times, sizes_mb = [], []
    for _ in range(n_reports):
        started = time.process_time()
        pdf = pdf_of(document)
        times.append(time.process_time() - started)
        sizes_mb.append(memory_mb())
    times.sort()
    grown_mb = sizes_mb[-1] - sizes_mb[n_reports // 5]
    sys.stdout.write(
        f"{n_reports} reports with 4 pictures, {len(pdf) // 1000} kB each\n"
        f"processor time: median {times[n_reports // 2]:.2f} s, largest {times[-1]:.2f} s\n"
        f"memory: {sizes_mb[n_reports // 5]} MB after a fifth of them, {sizes_mb[-1]} MB at the end\n"
    )
    return int(times[-1] > MAX_CPU_S or grown_mb > 20)


def memory_mb() -> int:
    """The present memory of this process; the largest one where /proc does not exist."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


if __name__ == "__main__":
    sys.exit(main())

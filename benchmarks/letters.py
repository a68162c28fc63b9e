"""Print the time and the memory of letters to the people of a list, made in one task.

    python -m benchmarks.letters --letters 500

It uses a database in memory. The letters are invitations; the file is the PDF for a folding machine with all of them.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
import uuid
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
os.environ.update(DEBUG="true", DATABASE_URL="sqlite://:memory:")
MAX_CPU_S = 1.5
"""Of each letter."""
MAX_GROWN_MB = 20
"""After a fifth of the letters, until the files are written."""


def main() -> int:
    """Make letters; 1 if one took more than MAX_CPU_S on average or the memory grew."""
    parser = argparse.ArgumentParser(description="Measure letters.")
    parser.add_argument("--letters", type=int, default=100)
    n_letters: int = parser.parse_args().letters
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks.reports import memory_mb
    from screening.policy.letters import LetterVariant
    from screening.reports import letter_batches
    from screening.selectors.due_list import DueFilters
    from screening.services import letter_batches as batches
    from tests.screening.factories import MembershipFactory, PatientFactory, SiteFactory

    settings.MEDIA_ROOT = tempfile.mkdtemp()
    batches.publish = lambda batch_id: None
    call_command("migrate", verbosity=0)
    site = SiteFactory()
    manager = MembershipFactory(site=site, role="manager").user
    for n in range(n_letters):
        PatientFactory(site=site, given_name=f"Person {n}", postal_address=f"{n} Mill Lane\nHarbour Town")
    planned = letter_batches.plan_due_letters(site=site, filters=DueFilters(), by=manager)
    variant = LetterVariant.STANDARD
    batch = batches.begin_batch(site=site, letters=planned.rows, variant=variant, batch_id=uuid.uuid4(), by=manager)
    sizes_mb: list[int] = []
    make: Any = letter_batches._make

    def measured(*args: Any) -> None:
        make(*args)
        sizes_mb.append(memory_mb())

    patched: Any = letter_batches
    patched._make = measured
    letter_batches.SLICE_S = 24 * 3600
    started, began = time.process_time(), time.monotonic()
    letter_batches.make_letters(batch_id=batch.pk)
    cpu_s, wall_s = time.process_time() - started, time.monotonic() - began
    batch.refresh_from_db()
    fifth, largest_mb = sizes_mb[n_letters // 5], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        f"{len(sizes_mb)} letters, {batch.state}: {batch.pdf.size // 1000} kB of PDF, "
        f"{batch.archive.size // 1000} kB of ZIP\n"
        f"processor time: {cpu_s:.0f} s, {cpu_s / n_letters:.2f} s each; {wall_s:.0f} s in all\n"
        f"memory: {fifth} MB after a fifth of them, {sizes_mb[-1]} MB after the last one, {largest_mb} MB at most\n"
    )
    return int(cpu_s / n_letters > MAX_CPU_S or largest_mb - fifth > MAX_GROWN_MB)


if __name__ == "__main__":
    sys.exit(main())

"""Print the machines, storage and money that a number of exams a day needs, from measured costs: docs/scaling.md.

    python -m benchmarks.scaling --exams 10000 1000000 --photographs 4 --core-price 20 --gigabyte-price 0.02

Costs of a photograph are those of ``benchmarks.whole_way`` and ``python -m ml benchmark``; those of rows of
``benchmarks.rows``. Prices are those of the reader, for a core and for a gigabyte, each for a month.
"""

import argparse
import math
from dataclasses import dataclass

from ml.metrics.markdown import column_table

HOURS_OF_A_DAY, PEAK = 8, 2.0
"""Photographs are taken in so many hours, and in the busiest minutes so many times as often as on average."""
MAX_BUSY = 0.6
"""Share of its time that a core may be busy at the peak: with more, photographs wait for each other."""
DAYS_OF_A_YEAR = 250


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of a core for each photograph, seconds for each exam that is read, and stored megabytes."""

    web_s: float
    worker_s: float
    database_s: float
    reading_s: float
    photograph_mb: float
    rows_mb: float


def cores(seconds: float, per_second: float) -> int:
    """Cores for work that comes ``per_second`` times a second at the peak; at least one."""
    return max(1, math.ceil(per_second * seconds / MAX_BUSY))


def column(
    costs: Costs, *, n_exams: int, n_photographs: int, core_price: float, gigabyte_price: float
) -> dict[str, str]:
    """A column of the table."""
    exams = n_exams * PEAK / (HOURS_OF_A_DAY * 3600)
    photographs = exams * n_photographs
    web = cores(costs.web_s * n_photographs + costs.reading_s, exams)
    workers, database = cores(costs.worker_s, photographs), cores(costs.database_s, photographs)
    year_gb = DAYS_OF_A_YEAR * n_exams * (n_photographs * costs.photograph_mb + costs.rows_mb) / 1000
    month = core_price * (web + workers + database) + gigabyte_price * year_gb
    return {
        "exams a day": f"{n_exams:,}",
        "photographs a second at the peak": f"{photographs:.1f}",
        "cores of web servers": f"{web}",
        "cores of workers": f"{workers}",
        "cores of the database": f"{database}",
        "photographs and rows of a year": f"{year_gb / 1000:.1f} TB",
        "rows of a year, in the database": f"{DAYS_OF_A_YEAR * n_exams * costs.rows_mb / 1000:.0f} GB",
        "money a month after a year": f"{month:,.0f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exams", type=int, nargs="+", default=[10_000, 1_000_000], help="exams a day")
    parser.add_argument("--photographs", type=int, default=4, help="of an exam")
    parser.add_argument("--web-ms", type=float, required=True, help="processor time of an upload in the web server")
    parser.add_argument("--worker-ms", type=float, required=True, help="of a grading in the worker")
    parser.add_argument("--database-ms", type=float, required=True, help="of both in the database")
    parser.add_argument(
        "--reading-ms", type=float, default=2000, help="of all pages of an exam, from visit to signature"
    )
    parser.add_argument("--photograph-mb", type=float, default=2.0, help="with its renditions")
    parser.add_argument("--rows-kb", type=float, default=8.2, help="of an exam with two photographs, in the database")
    parser.add_argument("--core-price", type=float, default=1.0, help="of a month")
    parser.add_argument("--gigabyte-price", type=float, default=0.0, help="of a month")
    options = parser.parse_args()
    costs = Costs(
        web_s=options.web_ms / 1000,
        worker_s=options.worker_ms / 1000,
        database_s=options.database_ms / 1000,
        reading_s=options.reading_ms / 1000,
        photograph_mb=options.photograph_mb,
        rows_mb=options.rows_kb / 1000 * options.photographs / 2,
    )
    columns = [
        column(
            costs,
            n_exams=n_exams,
            n_photographs=options.photographs,
            core_price=options.core_price,
            gigabyte_price=options.gigabyte_price,
        )
        for n_exams in options.exams
    ]
    print(column_table(columns), end="")


if __name__ == "__main__":
    main()

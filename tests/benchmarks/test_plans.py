"""Plans of statements as text, and the rows that they read."""

from benchmarks.plans import Scan, lines_of, scans_of

PLAN = {
    "Node Type": "Limit",
    "Actual Rows": 25,
    "Actual Loops": 1,
    "Plans": [
        {
            "Node Type": "Index Scan",
            "Index Name": "exam_by_rank",
            "Relation Name": "screening_exam",
            "Actual Rows": 5,
            "Actual Loops": 10,
            "Rows Removed by Filter": 2,
        }
    ],
}


def test_a_scan_reads_what_it_finds_and_what_it_removes_each_time() -> None:
    assert list(scans_of(PLAN)) == [Scan("screening_exam", 70)]


def test_a_plan_is_written_as_indented_lines() -> None:
    assert list(lines_of(PLAN)) == [
        "Limit: 25 rows",
        "  Index Scan by exam_by_rank of exam: 5 rows, 2 removed, x 10",
    ]

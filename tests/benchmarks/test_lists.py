"""Rows that a response shows."""

import pytest

from benchmarks.lists import n_rows_shown


@pytest.mark.parametrize(
    ("content", "n_rows"),
    [
        (b"<table><thead><tr><th>Name</th></tr></thead><tbody><tr></tr><tr data-row></tr></tbody></table>", 2),
        (b"<p>No patients.</p>", 0),
        (b'{"next": null, "results": [{"id": 1}, {"id": 2}, {"id": 3}]}', 3),
    ],
)
def test_rows_without_the_head_of_a_table_and_results_of_the_api_are_counted(content: bytes, n_rows: int) -> None:
    assert n_rows_shown(content) == n_rows

"""Each case prints one line: what was tried and what the system said."""

import sys
from collections.abc import Callable

import pytest

Record = Callable[[str, str], None]


@pytest.fixture
def record_case(capsys: pytest.CaptureFixture[str]) -> Record:
    """``record_case(kind, verdict)`` prints "kind: verdict", also if output is captured."""

    def record(kind: str, verdict: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{kind}: {verdict}")

    return record

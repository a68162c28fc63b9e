"""The benchmark has a column for each bundle, and the memory of all of them in one process."""

from pathlib import Path
from typing import Any

import pytest

from ml.bundle import default_bundles, read_bundle
from ml.evaluation import benchmark as module
from ml.evaluation.benchmark import N_ROUNDS, benchmark, call_times_ms, forward_rounds
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality


def test_each_pipeline_is_called_alternately() -> None:
    called: list[tuple[str, bytes]] = []
    times = call_times_ms([lambda f: called.append(("a", f)), lambda f: called.append(("b", f))], [b"1", b"2"])
    assert called == [("a", b"1"), ("b", b"1"), ("a", b"2"), ("b", b"2")] * (N_ROUNDS + 1)
    assert [len(each.cpu_ms) for each in times] == [len(each.elapsed_ms) for each in times] == [2 * N_ROUNDS] * 2


def test_both_models_have_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def start_up(bundles: list[Any], _photos: list[Path]) -> dict[str, float]:
        started.append(len(bundles))
        return {"load_s": 1.0, "first_grade_s": 2.0, "memory_mb": 100.0 * len(bundles)}

    monkeypatch.setattr(module, "start_up", start_up)
    monkeypatch.setattr(module, "baseline_pipeline", lambda _bundle: lambda _file: sum(range(1000)))
    monkeypatch.setattr(module, "N_ROUNDS", 1)
    monkeypatch.setattr(module, "forward_rounds", lambda *_: [[4.0, 3.0, 3.0], [2.0, 1.5, 2.0]])
    photo = tmp_path / "a.jpg"
    draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=1)).save(photo)
    bundles = [read_bundle(folder) for folder in default_bundles().values()]
    text = benchmark(bundles, [photo])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert rows[0] == ["measure", *(bundle.model_version for bundle in bundles)]
    cpu = next(row for row in rows if row[0].endswith("CPU time") and row[0].startswith("JPEG"))
    assert float(cpu[1].split()[0]) > float(cpu[2].split()[0]) > 0, "the accurate model takes longer"
    assert ["peak resident memory of the process", "100 MB", "100 MB"] in rows
    assert text.endswith("Peak resident memory of a process with all of them: 200 MB\n")
    assert started == [1, 1, 2]
    assert [row[1] for row in rows[-3:]] == ["3.00 s", "1.50 s", "2.00"]


def test_a_size_is_timed_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "N_TIMED", module.BATCH_SIZE)
    monkeypatch.setattr(module, "N_ROUNDS", 2)
    (times,) = forward_rounds("mobilenet_v3_small", (64,))
    assert len(times) == 2
    assert min(times) > 0

"""The figures of ``python -m ml copies``."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import ImageOps

from ml.errors import InputError
from ml.evaluation.copies import COPIES, compare_all, find_photographs, measure_copies
from ml.perceptual_hash import hash_picture
from tests.copies import encoded, eye_file, synthetic_photo


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two people, and a third whose photograph is the first one's, mirrored."""
    folder = tmp_path / "clinic"
    folder.mkdir()
    files = {"a_od": eye_file(1), "a_os": eye_file(2, "OS"), "b_od": eye_file(3)}
    for name, content in files.items():
        (folder / f"{name}.jpg").write_bytes(content)
    copy = ImageOps.mirror(synthetic_photo(1))
    (folder / "c_od.jpg").write_bytes(encoded(copy))
    rows = "".join(f"{name}.jpg,{name[0]}\n" for name in [*files, "c_od"])
    (folder / "labels.csv").write_text(f"file,patient\n{rows}unknown.jpg,\n")
    return tmp_path


def test_the_pairs_that_are_taken_as_one_are_listed(data: Path) -> None:
    photographs = find_photographs(data / "clinic")
    hashes = [hash_picture(one.path) for one in photographs]
    with ThreadPoolExecutor(1) as pool:
        comparison = compare_all(photographs, hashes, pool)
    assert comparison.row("clinic") == ["clinic", 4, 0, 1, 0, 5, 1]
    assert [{one.path.stem for one in pair} for pair in comparison.taken_as_one] == [{"a_od", "c_od"}]


def test_the_report_has_every_kind_of_copy(data: Path) -> None:
    report = measure_copies(data, n_copied=1, n_workers=1)
    assert "Copies of 1 photographs" in report
    assert all(f"| {kind}" in report for kind in COPIES)
    assert report.count("1.000") >= 2 * (len(COPIES) - 2)


def test_a_folder_without_names_of_patients_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names patients"):
        measure_copies(tmp_path, n_copied=1, n_workers=1)

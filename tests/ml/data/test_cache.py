"""The cache is filled once, resumable, and the same for any number of processes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.data import cropping
from ml.data.cache import cache_dir_of, load_dataset
from ml.data.cropping import CropResult, crop, crop_all
from ml.data.labels import LabelledPhoto
from ml.data.readers import read_photos
from ml.errors import GradingError
from tests.ml.data.builders import N_PATIENTS, spotted

SIDE_PX = 48


def test_a_second_call_reads_the_cache_and_changes_nothing(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset([clinic], side_px=SIDE_PX, cache=tmp_path)
    monkeypatch.setattr(cropping, "crop", lambda *_, **__: pytest.fail("cropped again"))
    again = load_dataset([clinic], side_px=SIDE_PX, cache=tmp_path)
    assert np.array_equal(again.splits, first.splits)
    assert np.array_equal(again.groups, first.groups)
    assert again.duplicate_pairs == first.duplicate_pairs != []


def test_an_interrupted_call_resumes(clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = load_dataset([clinic], side_px=SIDE_PX, cache=tmp_path / "complete")
    monkeypatch.setattr(cropping, "CHUNK_SIZE", 8)
    done: list[Path] = []
    limit = 21

    def crop_until_limit(path: Path, *, side_px: int) -> CropResult:
        if len(done) == limit:
            raise KeyboardInterrupt
        done.append(path)
        return crop(path, side_px=side_px)

    monkeypatch.setattr(cropping, "crop", crop_until_limit)
    with pytest.raises(KeyboardInterrupt):
        load_dataset([clinic], side_px=SIDE_PX, cache=tmp_path / "resumed")
    assert [path.suffix for path in sorted((tmp_path / "resumed").iterdir())] == [".lock", ".partial"]
    done.clear()
    limit = 2 * N_PATIENTS
    resumed = load_dataset([clinic], side_px=SIDE_PX, cache=tmp_path / "resumed")
    assert len(done) == 2 * N_PATIENTS - 16
    rows = np.arange(len(complete.photos))
    assert np.array_equal(resumed.pixels[rows], complete.pixels[rows])
    assert resumed.photos == complete.photos
    assert np.array_equal(resumed.splits, complete.splits)
    assert {path.suffix for path in (tmp_path / "resumed").iterdir()} == {"", ".json"}


def test_several_processes_fill_the_same_cache(clinic: Path, tmp_path: Path) -> None:
    photos = read_photos(clinic)[:12]
    for name, n_workers in (("one", 1), ("two", 2)):
        crop_all(photos, side_px=SIDE_PX, cache_dir=tmp_path / name, n_workers=n_workers)
    for file in ("pixels.npy", "signatures.npy", "statuses.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_recipe_of_the_cache_has_not_changed() -> None:
    """NB: with another name every cache is filled again, and models lose their splits."""
    photos = [LabelledPhoto("aptos2019", Path("any/where/a.jpg"), 2, "aptos2019:file:a.jpg", "good", eye="left")]
    assert cache_dir_of(photos, side_px=320, cache=Path()).name == "fe5ef5256c540bb9"


def test_files_of_one_name_in_two_folders_keep_their_labels(tmp_path: Path) -> None:
    for i in range(6):
        folder = tmp_path / "own" / "train" / ("0" if i < 3 else "3")
        folder.mkdir(parents=True, exist_ok=True)
        spotted(i).save(folder / f"{i % 3}.png")
    dataset = load_dataset([tmp_path / "own"], side_px=SIDE_PX, cache=tmp_path / "cache")
    assert [photo.path.parent.name for photo in dataset.photos] == ["0", "0", "0", "3", "3", "3"]
    assert dataset.grades.tolist() == [0, 0, 0, 3, 3, 3]


def test_photographs_without_any_retina_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dark").mkdir()
    Image.new("RGB", (90, 90)).save(tmp_path / "dark" / "a.png")
    (tmp_path / "dark" / "labels.csv").write_text("file,grade\na.png,0\n")
    with pytest.raises(GradingError, match="None of the photographs"):
        load_dataset([tmp_path / "dark"], side_px=SIDE_PX, cache=tmp_path / "cache")

"""Reading, copies, splits: nothing of the test part is ever in the training part."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.data.augment import augment, shrink
from ml.data.duplicates import copies, merge_groups, signature
from ml.data.labels import read_labels
from ml.data.splits import assert_no_leakage, split
from ml.serving.preprocess import crop_fundus, standardize_colors
from ml.synthetic import FundusDrawing, draw_fundus


def write(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "labels.csv").write_text(text)
    return folder


def test_two_eyes_of_one_person_share_a_group_across_sources_of_one_family(tmp_path: Path) -> None:
    text = "file,grade,patient\nimages/7_left.jpg,0,7\nimages/7_right.jpg,3,7\n"
    first = read_labels(write(tmp_path / "eyepacs", text))
    second = read_labels(write(tmp_path / "eyepacs_equalized", text))
    other = read_labels(write(tmp_path / "odir5k", text))
    assert len({p.group for p in first + second}) == 1
    assert {p.group for p in other}.isdisjoint(p.group for p in first)


def test_a_photograph_without_a_person_is_its_own_group(tmp_path: Path) -> None:
    photos = read_labels(write(tmp_path / "aptos2019", "file,grade\na.jpg,0\nb.jpg,4\n"))
    assert len({p.group for p in photos}) == 2
    assert [p.grade for p in photos] == [0, 4]


@pytest.mark.parametrize("grade", ["5", "", "moderate", "-1"])
def test_a_label_that_is_no_grade_is_named_with_its_line(tmp_path: Path, grade: str) -> None:
    folder = write(tmp_path / "own", f"file,grade\na.jpg,0\nb.jpg,{grade}\n")
    with pytest.raises(ValueError, match="line 3"):
        read_labels(folder)


@pytest.fixture(scope="module")
def squares() -> list[np.ndarray]:
    """Three eyes; the fourth is the first again, smaller and as a poor JPEG."""
    eyes = [draw_fundus(FundusDrawing(seed=seed)) for seed in (1, 2, 3)]
    eyes.append(eyes[0].resize((300, 300)))
    retinas = [crop_fundus(eye, side_px=256) for eye in eyes]
    return [standardize_colors(retina) for retina in retinas if retina is not None]


def test_a_smaller_copy_is_found_and_other_eyes_are_not(squares: list[np.ndarray]) -> None:
    assert copies(np.stack([signature(square) for square in squares])) == [(0, 3)]


def test_copies_and_persons_are_merged_into_one_group() -> None:
    assert len(set(merge_groups(["a", "b", "c", "d"], [(0, 1), (1, 2)]))) == 2


def test_no_group_is_in_two_parts_and_every_stratum_is_in_each() -> None:
    rng = np.random.default_rng(1)
    sources = [("one", "two")[i % 2] for i in range(600)]
    grades = rng.integers(0, 5, 600).tolist()
    groups = [f"person {i // 3}" for i in range(600)]
    parts = split(sources, grades, groups)
    assert_no_leakage(parts, groups)
    assert np.bincount(parts) / 600 == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    for part in range(3):
        assert len({(s, g) for s, g, p in zip(sources, grades, parts, strict=True) if p == part}) == 10


def test_a_leak_is_refused() -> None:
    with pytest.raises(ValueError, match="two parts"):
        assert_no_leakage(np.array([0, 1], np.int8), ["same", "same"])


def test_augmented_retinas_keep_shape_and_range_and_repeat_with_the_seed(squares: list[np.ndarray]) -> None:
    batch = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2)
    first = augment(batch, side_px=96, random=torch.Generator().manual_seed(3))
    again = augment(batch, side_px=96, random=torch.Generator().manual_seed(3))
    other = augment(batch, side_px=96, random=torch.Generator().manual_seed(4))
    assert first.shape == (4, 3, 96, 96)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first[:, :, 0, 0] == 0).all()  # the surround stays black


def test_shrinking_keeps_the_picture(squares: list[np.ndarray]) -> None:
    batch = torch.from_numpy(squares[0]).permute(2, 0, 1).unsqueeze(0)
    small = shrink(batch, side_px=64)[0].permute(1, 2, 0).numpy() * 255
    expected = np.asarray(Image.fromarray(squares[0]).resize((64, 64), Image.Resampling.BILINEAR), float)
    assert np.abs(small - expected).mean() < 1

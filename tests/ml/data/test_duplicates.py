"""Duplicates are found and stay together with their patients."""

from io import BytesIO

import numpy as np
from PIL import Image

from ml.data.duplicates import SIGNATURE_SIDE_PX, find_duplicates, merge_groups, signature
from ml.serving.preprocess import crop_fundus, standardize_colors
from ml.synthetic import FundusDrawing, draw_fundus


def test_a_smaller_jpeg_is_a_duplicate_and_other_eyes_are_not() -> None:
    eyes = [draw_fundus(FundusDrawing(seed=seed, scale=0.25)) for seed in (1, 2, 3)]
    file = BytesIO()
    eyes[0].resize((200, 200)).save(file, "JPEG", quality=60)
    crops = [crop_fundus(eye, side_px=SIGNATURE_SIDE_PX) for eye in (*eyes, Image.open(file))]
    signatures = [signature(standardize_colors(crop)) for crop in crops if crop is not None]
    assert find_duplicates(np.stack(signatures)) == [(0, 3)]


def test_connected_groups_are_merged_under_the_name_of_the_last_root() -> None:
    """NB: other names give other splits."""
    assert merge_groups(["a", "b", "c", "d", "a"], [(0, 1), (1, 2)]) == ["c", "c", "c", "d", "c"]

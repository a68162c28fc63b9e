"""Fixtures of the tests of ``ml``."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ml.bundle import Bundle, default_bundle, read_bundle
from ml.metrics import bootstrap

if TYPE_CHECKING:
    from ml.evaluation.predictions import LabelledPredictions


@pytest.fixture(scope="session", autouse=True)
def few_resamples() -> Iterator[None]:
    """Confidence intervals from few resamples, which is fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "N_RESAMPLES", 40)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real photographs; the test is skipped if there is none."""
    here = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("DR_DATA_DIR") or here.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real photographs: {folder} is not a folder (set DR_DATA_DIR)")
    return folder


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Bundle:
    """A copy of the default bundle that a test may change."""
    return read_bundle(Path(shutil.copytree(default_bundle(), tmp_path / "bundles" / default_bundle().name)))


@pytest.fixture(scope="session")
def predictions() -> "LabelledPredictions":
    """Synthetic predictions. Read only."""
    from tests.ml.evaluation.toy_predictions import toy_predictions

    return toy_predictions(1.0)


@pytest.fixture(scope="session")
def evaluation(predictions: "LabelledPredictions") -> dict[str, Any]:
    """The evaluation of the synthetic predictions. Read only."""
    from ml.evaluation.evaluate import build_evaluation

    return build_evaluation(predictions)


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of three small synthetic data sets."""
    from tests.ml.toys import write_toy_data

    return write_toy_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def toy_bundle(toy_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny network after two epochs, exported; its run and cache are in the same folder. Read only."""
    from ml.release.export import export_bundle
    from ml.training.train import train
    from tests.ml.toys import toy_config

    runs = tmp_path_factory.mktemp("released")
    train(toy_config(), data=toy_data, imagenet=None, run=runs / "run")
    return export_bundle(runs / "run", data=toy_data, folder=runs / "toy-0.0.1", name="toy", version="0.0.1")

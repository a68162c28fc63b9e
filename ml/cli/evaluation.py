"""The commands that measure: ``python -m ml evaluate | pointing-game | benchmark | copies``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.bundle import default_bundles, read_bundle
from ml.cli.options import BundleArgument, BundleOption, CacheOptions, DataOptions, OptionalPath
from ml.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Evaluate(CacheOptions):
    """Evaluate a bundle on photographs it was not trained on; write its evaluation, card and report."""

    bundle: BundleArgument = None
    against: Annotated[Path | None, arg(metavar="BUNDLE")] = None
    """Another bundle: test the differences of the metrics."""
    output: OptionalPath = None
    """Folder of the report; runs/evaluation/NAME-VERSION if none."""

    def run(self) -> int:
        from ml.evaluation.evaluate import lesion_masks
        from ml.evaluation.predictions import predict_held_out
        from ml.release.calibration import write_measurements
        from ml.release.model_card import write_card
        from ml.release.promote import compare_with
        from ml.release.report import write_report

        bundle = read_bundle(self.bundle)
        other = read_bundle(self.against) if self.against else None
        predictions = predict_held_out(bundle, data=self.data, cache=self.cache)
        write_measurements(predictions, data=self.data)
        write_card(read_bundle(self.bundle))
        comparison = compare_with(other, predictions) if other else None
        folder = self.output or Path("runs/evaluation") / f"{bundle.name}-{bundle.version}"
        print(write_report(predictions, folder, masks=lesion_masks(self.data), other=other, comparison=comparison))
        return 0


@dataclass(frozen=True, kw_only=True)
class PointingGame:
    """Measure how much of the heatmap, and how often its maximum, lies on lesions."""

    folder: Annotated[Positional[Path | None], arg(metavar="[FOLDER]")] = None
    """Photographs and lesion masks in the layout of IDRiD."""
    synthetic: Annotated[int | None, arg(metavar="N")] = None
    """Use N synthetic photographs instead."""
    bundle: BundleOption = None

    def run(self) -> int:
        from ml.evaluation.lesion_heatmaps import (
            heatmap_metrics,
            heatmap_table,
            heatmap_verdict,
            idrid_masks,
            synthetic_masks,
        )
        from ml.grader import Grader

        if (self.folder is None) == (self.synthetic is None):
            raise InputError("Name a folder, or --synthetic N.")
        photos = synthetic_masks(self.synthetic or 0) if self.folder is None else idrid_masks(self.folder)
        results = heatmap_metrics(Grader.load(self.bundle), list(photos))
        if not results:
            raise InputError("No photograph there has lesions, a mask and a heatmap.")
        print(heatmap_table(results) + "\n" + heatmap_verdict(results))
        return 0


@dataclass(frozen=True, kw_only=True)
class Benchmark(DataOptions):
    """Measure start-up, memory and speed of serving, compared with a baseline pipeline."""

    photos: Annotated[Positional[tuple[Path, ...]], arg(metavar="[PATH ...]", help_behavior_hint="")] = ()
    """Photographs; none: IDRiD's in the samples folder of the data folder."""
    bundle: Annotated[Path | None, arg(metavar="BUNDLE")] = None
    """Folder of a bundle, or its name in ml/bundles; both served models if none."""
    by_size: bool = False
    """Measure the cost of a photograph by its size and format, on the first two photographs."""

    def run(self) -> int:
        from ml.evaluation.benchmark import benchmark
        from ml.evaluation.size_benchmark import benchmark_sizes

        photos = list(self.photos) or sorted((self.data / "samples").glob("IDRiD_*.jpg"))
        if not photos:
            raise InputError("Name photographs to measure with, or --data with a samples folder.")
        folders = [self.bundle] if self.bundle else default_bundles().values()
        bundles = [read_bundle(folder) for folder in folders]
        if self.by_size:
            print("\n".join(benchmark_sizes(bundle, photos[:2]) for bundle in bundles), end="")
        else:
            print(benchmark(bundles, photos), end="")
        return 0


@dataclass(frozen=True, kw_only=True)
class Copies(DataOptions):
    """Measure how well the same picture is recognised, and that no other eye is taken for it."""

    sources: tuple[str, ...] = ()
    """Folders below the data folder; none: all whose labels name the patient."""
    n_copied: int = 400
    """Photographs of which copies are made."""
    workers: int = os.cpu_count() or 1
    """Processes."""

    def run(self) -> int:
        from ml.evaluation.copies import measure_copies

        print(measure_copies(self.data, n_copied=self.n_copied, n_workers=self.workers, sources=self.sources))
        return 0

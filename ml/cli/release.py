"""The commands that make and describe bundles: ``python -m ml export | promote | card | results | external |
site-threshold``."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.bundle import BUNDLES, read_bundle
from ml.cli.options import BundleArgument, BundleOption, CacheOptions, DataOptions, OptionalPath
from ml.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Export(DataOptions):
    """Export a finished run as a bundle: calibrated on validation, evaluated on test."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    name: str = "student"
    """Name of the model."""
    version: str
    """Version of the model."""
    image_size: Annotated[int | None, arg(metavar="INT")] = None
    """Side of the input at inference, in pixels; none: as in training."""
    output: OptionalPath = None
    """Folder of the bundle; ml/bundles/NAME-VERSION if none."""

    def run(self) -> int:
        from ml.release.export import export_bundle

        output = self.output or BUNDLES / f"{self.name}-{self.version}"
        bundle = export_bundle(
            self.folder, data=self.data, folder=output, name=self.name, version=self.version, image_size=self.image_size
        )
        print(f"{bundle.model_version} in {output}")
        return 0


@dataclass(frozen=True, kw_only=True)
class Promote(CacheOptions):
    """Make a bundle the default of its model if it is not worse than the current one; else exit with code 1."""

    bundle: Annotated[Positional[Path], arg(metavar="BUNDLE")]
    """Folder of a bundle, or its name in ml/bundles."""

    def run(self) -> int:
        from ml.release.promote import promote

        candidate = read_bundle(self.bundle)
        failures = promote(candidate, data=self.data, cache=self.cache)
        print((candidate.folder / "comparison.md").read_text())
        for failure in failures:
            print(f"refused: {failure}", file=sys.stderr)
        return 1 if failures else 0


@dataclass(frozen=True, kw_only=True)
class Card:
    """Write the model card of a bundle; that of a default bundle into the documentation too."""

    bundle: BundleArgument = None

    def run(self) -> int:
        from ml.release.model_card import write_card

        print(write_card(read_bundle(self.bundle, verify=True)))
        return 0


@dataclass(frozen=True, kw_only=True)
class Results:
    """Tabulate teacher, student alone and distilled student, compared with the earlier system."""

    def run(self) -> int:
        from ml.release.results_table import newest_bundles, results_table

        print(results_table(newest_bundles()), end="")
        return 0


@dataclass(frozen=True, kw_only=True)
class External:
    """Tabulate the metrics of bundles on sources that they were not trained on (external validation)."""

    bundles: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="BUNDLE [BUNDLE ...]", help_behavior_hint="(required)")
    ]
    """Folders of evaluated bundles, or their names in ml/bundles."""
    output: OptionalPath = None
    """Also write them to this JSON file: ml/bundles/external_validation.json is part of the model cards."""

    def run(self) -> int:
        if not self.bundles:
            raise InputError("Name at least one bundle.")
        from ml.release.external_validation import external_results, external_table, write_results

        results = external_results([read_bundle(path, verify=True) for path in self.bundles])
        if self.output:
            write_results(results, self.output)
        print(external_table(results), end="")
        return 0


@dataclass(frozen=True, kw_only=True)
class SiteThreshold:
    """Fit a site's own threshold to photographs that its graders graded."""

    labels: Annotated[Positional[Path], arg(metavar="LABELS")]
    """A labels.csv with the columns file and grade, and patient if known; or its folder."""
    bundle: BundleOption = None
    sensitivity: float = 0.85
    """Sensitivity for grade >= 2 that the threshold is chosen for."""
    output: Annotated[Path, arg(metavar="FILE")] = Path("site-threshold.json")
    """File that a manager of the site uploads in the administration panel."""

    def run(self) -> int:
        if not 0.5 <= self.sensitivity < 1:
            raise InputError("--sensitivity is a number from 0.5 to below 1.")
        if self.output.exists():
            raise InputError(f"{self.output} exists already: choose another --output.")
        from ml.release.site_threshold import advice, fit_site_threshold, read_site_photos

        bundle = read_bundle(self.bundle, verify=True)
        fitted = fit_site_threshold(bundle, read_site_photos(self.labels), target=self.sensitivity)
        self.output.write_text(fitted.to_json())
        print(advice(fitted, bundle))
        print(f"Written to {self.output}.")
        return 0

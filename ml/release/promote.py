"""Make a bundle the default of its model if it is not worse than the current one: ``python -m ml promote BUNDLE``.

A MobileNet is compared with the bundle of the fast model, another network with that of the accurate model.

Quadratic kappa and the area under the curve of grade >= 2 on the test split decide. On the mean of the sources it is a
test of non-inferiority (as in ICH E9): the 95 % interval of the difference must lie above minus the margin. A single
source has too few photographs of disease for that: there the difference itself must not be beyond the margin, nor its
whole interval below zero.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.bundle import BUNDLES, Bundle, default_bundles, read_bundle, read_evaluation, set_default_bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, Comparison, compare, comparison_table
from ml.evaluation.evaluate import write_evaluation
from ml.evaluation.predictions import LabelledPredictions, fingerprint, predict, predict_held_out
from ml.metrics.grading import MAIN_METRICS
from ml.release.model_card import write_card
from ml.release.rendering import render

MARGINS = {"quadratic_kappa": (0.08, 0.06), "referable_auc": (0.04, 0.03)}
"""By how much a metric may be worse: on one source, and on the mean of the sources. On EyePACS, the smallest source,
the kappas of two equally good models differ by about 0.06 by the sampling of patients alone."""


def promote(candidate: Bundle, *, data: Path, cache: Path, bundles: Path = BUNDLES) -> list[str]:
    """Promote the candidate if it is not worse than the default of its model; returns why it is refused, else nothing.

    Writes comparison.md into the candidate's folder. If it is promoted, defaults.json names it, and its evaluation.json
    and the model cards are written. Raises BundleError if the two cannot be compared, or if the candidate is not in
    ``bundles``, the folder of the defaults.
    """
    if candidate.folder.resolve().parent != bundles.resolve():
        raise BundleError(f"{candidate.folder} is not in {bundles}: move it there, then promote it.")
    current = read_bundle(default_bundles(bundles)[candidate.served_model])
    predictions = predict_held_out(candidate, data=data, cache=cache)
    comparison = compare_with(current, predictions)
    failures = list(non_inferiority_failures(comparison))
    _write_comparison(candidate, current, comparison, failures)
    if not failures:
        write_evaluation(predictions, data=data)
        set_default_bundle(candidate)
        write_card(candidate)
    return failures


def compare_with(other: Bundle, predictions: LabelledPredictions) -> Comparison:
    """Compare a bundle's predictions with those of another bundle, which may be trained on fewer sources.

    Raises BundleError if the other bundle has another test split on its own sources.
    """
    shared = [photo for photo in predictions.photos if photo.source in other.trained_on]
    if fingerprint(shared, "test") != read_evaluation(other)["fingerprints"]["test"]:
        raise BundleError(
            f"{predictions.bundle.model_version} and {other.model_version} were trained on different splits: one may "
            "have been trained on the other's test split. Train the new one on all sources of the other."
        )
    return compare(predictions, predict(other, predictions.photos))


def non_inferiority_failures(comparison: Comparison) -> Iterator[str]:
    """A sentence for each source, or their mean, on which the first bundle is worse beyond the margins."""
    for source, differences in comparison.items():
        for name, margins in MARGINS.items():
            difference, margin = differences[name], margins[source == MEAN]
            values = f"{source}: {MAIN_METRICS[name]} {difference.first:.3f} against {difference.second:.3f}"
            if difference.interval is None:
                yield f"{values}, which has no interval: the test split is too small."
                continue
            low, high = difference.interval  # a higher value of both metrics is better
            if source == MEAN and low < -margin:
                yield f"{values}; it may be worse by {-low:.3f}, more than the margin of {margin:.2f}."
            elif source != MEAN and difference.value < -margin:
                yield f"{values}; it is worse by more than the margin of {margin:.2f}."
            elif high < 0:
                yield f"{values}; the whole interval of the difference is below zero."


def _write_comparison(candidate: Bundle, current: Bundle, comparison: Comparison, failures: list[str]) -> None:
    text = render(
        "comparison.md",
        first=candidate,
        second=current,
        failures=failures,
        margins={MAIN_METRICS[name]: margins for name, margins in MARGINS.items()},
        table=comparison_table(comparison),
    )
    (candidate.folder / "comparison.md").write_text(text)

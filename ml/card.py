"""The model card of a bundle, written from bundle.json alone so that no number in it can be another one."""

from pathlib import Path
from typing import Any

from ml.bundle import Bundle, read_bundle

DOCUMENTATION = Path(__file__).parent.parent / "docs" / "model-card.md"
COLUMNS = (
    ("n", "photographs"),
    ("accuracy", "accuracy"),
    ("quadratic_kappa", "quadratic kappa"),
    ("referable_auc", "AUC, grade >= 2"),
    ("referable_sensitivity", "sensitivity, grade >= 2"),
    ("referable_specificity", "specificity, grade >= 2"),
    ("proliferative_sensitivity", "sensitivity, grade 4"),
    ("referable_brier", "Brier, grade >= 2"),
)

OPTIONS = ("side_px", "cache_side_px", "n_epochs", "batch", "learning_rate", "weight_decay", "seed", "n_threads")

TEXT = """# Model card: {version}

Grades colour photographs of the retina 0 to 4 on the International Clinical Diabetic Retinopathy scale and gives the
chance that the eye has moderate disease or worse (grade >= 2, "referable").

**Use.** Decision support in screening, read and signed by a clinician. Not a certified medical device; not for use
without a reader. For colour photographs, macula- or disc-centred, of the eyes of adults with diabetes.

**It does not see** macular oedema (which makes an eye referable by itself), glaucoma, or any other disease. A
photograph that cannot be graded gets no grade; it is never a negative.

## Network
{architecture}, {side} x {side} pixels of the retina's disc, 5 outputs, {size:.1f} MB, SHA-256 `{sha}`.
Probabilities are softmax(logits / {temperature} + bias); the grade is {rule}; an
eye is called referable from P(grade >= 2) = {point}. All three were chosen on the validation part.

## Data
{data}
Photographs of one person and copies of one photograph are in one part only ({copies} pairs of copies were found;
{without} photographs show no retina's disc and were left out). The labels of `aptos2019` and `eyepacs` are single
readings; those of `odir5k` are derived from diagnostic keywords; human readers agree at a kappa of 0.8 to 0.9.
`eyepacs_equalized` (histogram-equalised colours) was used for training only. Terms: competition and research use
(APTOS 2019, EyePACS), research use (ODIR-5K). Starting weights: ImageNet (for MobileNetV3-Small those of Keras,
Apache-2.0).

## Figures
The validation part chose the weights, the calibration, the cuts and the operating point, so its figures flatter.
Nothing was fitted on the test part, but its figures were looked at while the rule for the grade and the input side were
being chosen, so they flatter a little too. No intervals are given; with so few photographs they are wide.
The rare grades have a few photographs each: figures for grade 4 are rough, and those of
`eyepacs` and `odir5k` are what a new clinic should expect rather than those of `aptos2019`.

### Test
{test}

### Validation
{validation}

These are figures per photograph of {sources}, by source, without the quality gate. To train in
the same way (random changes to the photographs were made slightly milder between two stages, so an earlier stage will
not come out number for number), with the photographs in `DR_DATA_DIR` and ImageNet weights under torchvision's names
in `imagenet.npz`:

```sh
{commands}
```
"""


def write_card(bundle: Bundle) -> None:
    """Write model-card.md beside bundle.json."""
    (bundle.folder / "model-card.md").write_text(card_text(bundle))


def card_text(bundle: Bundle) -> str:
    """The card in Markdown."""
    counts = bundle.training["photographs_by_grade"]
    return TEXT.format(
        version=bundle.model_version,
        architecture=bundle.architecture,
        side=bundle.side_px,
        size=bundle.weights.stat().st_size / 1e6,
        sha=bundle.weights_sha256,
        temperature=bundle.temperature,
        rule=_rule(bundle.grade_cuts),
        point=bundle.operating_point,
        data=_data_table(counts),
        copies=bundle.training["n_copies_kept_together"],
        without=bundle.training["n_without_retina"],
        test=_figures_table(bundle.metrics["test"]),
        validation=_figures_table(bundle.metrics["validation"]),
        sources=", ".join(sorted(bundle.metrics["test"])),
        commands="\n".join(_commands(bundle)),
    )


def _rule(cuts: tuple[float, ...]) -> str:
    if not cuts:
        return "the most probable one"
    return f"the number of cuts ({', '.join(map(str, cuts))}) that the mean grade reaches"


def _commands(bundle: Bundle) -> list[str]:
    """The command line of each stage of training, and of the export."""
    commands = []
    for stage in bundle.training["stages"]:
        begin = f"--start {stage['start']}" if stage["start"] else "--imagenet imagenet.npz"
        options = [f"--run {stage['run']}", begin]
        options += [f"--{name.replace('_', '-')} {stage[name]}" for name in OPTIONS]
        commands.append("python -m ml train " + " ".join(options))
    run = bundle.training["stages"][-1]["run"]
    return [*commands, f"python -m ml export {run} --name {bundle.name} --version {bundle.version}"]


def _data_table(counts: dict[str, dict[str, list[int]]]) -> str:
    rows = [["source", "part", "grade 0", "1", "2", "3", "4"]]
    rows += [[s, part, *map(str, n)] for s, parts in sorted(counts.items()) for part, n in parts.items()]
    return _table(rows)


def _figures_table(metrics: dict[str, dict[str, Any]]) -> str:
    rows = [["source", *(title for _, title in COLUMNS)]]
    for source, figures in sorted(metrics.items()):
        rows.append([source, *(_number(figures[key]) for key, _ in COLUMNS)])
    return _table(rows)


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":  # python -m ml.card: the released bundle's card, for readers of the documentation
    DOCUMENTATION.write_text(card_text(read_bundle()))

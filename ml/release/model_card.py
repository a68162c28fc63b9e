"""The model card of a bundle: every number comes from its JSON files or the external validation beside it."""

import dataclasses
from pathlib import Path
from typing import Any

from ml.bundle import Bundle, read_bundle, read_evaluation
from ml.metrics.markdown import table, with_interval
from ml.release.external_validation import external_section
from ml.training.config import Distillation, TrainingConfig
from ml.vocabulary import N_GRADES

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "model-card.md"
COLUMNS = (
    ("accuracy", "accuracy"),
    ("quadratic_kappa", "quadratic kappa"),
    ("referable_auc", "AUC, grade >= 2"),
    ("sight_threatening_auc", "AUC, grade >= 3"),
    ("referable_sensitivity", "sensitivity, grade >= 2"),
    ("referable_specificity", "specificity, grade >= 2"),
    ("referable_brier", "Brier, grade >= 2"),
    ("calibration_error", "calibration error, grade >= 2"),
    ("calibration_error_by_chance", "of that by chance"),
)
SHORT = tuple(
    c
    for c in COLUMNS
    if c[0] not in {"sight_threatening_auc", "referable_brier"} and not c[0].startswith("calibration")
)
GATE = (
    ("imageability", "accepted"),
    ("sensitivity_accepted", "sensitivity of accepted"),
    ("specificity_accepted", "specificity of accepted"),
    ("sensitivity_intention_to_screen", "sensitivity, intention to screen"),
    ("specificity_intention_to_screen", "specificity, intention to screen"),
)
STARTING_WEIGHTS = {
    "mobilenet_v3_small": "ImageNet weights of Keras (Apache-2.0), converted",
    "resnet50": (
        "ImageNet weights of ABM-SpConv (MIT), pruned and stored as int8 before they were converted; how their authors "
        "trained them is not stated"
    ),
    "resnet50_v1_5": "ImageNet weights of torchvision (BSD-3-Clause)",
}

ALWAYS_SHOWN = ("image_size", "cache_size", "epochs", "batch_size", "learning_rate", "weight_decay", "seed", "threads")
SHOWN_ELSEWHERE = {"init_from", "alpha", "distillation", "teachers"}

TEXT = """# Model card: {version}

Grades colour photographs of the retina 0 to 4 on the International Clinical Diabetic Retinopathy scale and gives the
chance that the eye has moderate disease or worse (grade >= 2, "referable").

**Use.** Decision support in screening, read and signed by a clinician. Not a certified medical device; not for use
without a reader. For colour photographs, macula- or disc-centred, of the eyes of adults with diabetes.

**It does not see** macular oedema (which makes an eye referable by itself), glaucoma, or any other disease. A
photograph that cannot be graded gets no grade; it is never a negative.

## Network
{architecture}, {side} x {side} pixels of the retina's disc, 5 outputs, {size:.1f} MB ({precision} weights), SHA-256
`{sha}`.
Probabilities are softmax(logits / {temperature} + bias); the grade is {rule}; an
eye is called referable from P(grade >= 2) = {point}. All three were chosen on the validation part.

## Data
{data}
Photographs of one person and copies of one photograph are in one part only ({copies} pairs of copies were found;
{without} photographs show no retina's disc and were left out). The labels of `aptos2019` and `eyepacs` are single
readings; those of `odir5k` are derived from diagnostic keywords; human readers agree at a kappa of 0.8 to 0.9.
`eyepacs_equalized` (histogram-equalised colours) was used for training only. Terms: competition and research use
(APTOS 2019, EyePACS), research use (ODIR-5K). Starting weights: {start}.{lessons}

## Figures
Every photograph was read through the Grader from its file, as in a clinic, by exactly these weights. In brackets: 95 %
intervals by drawing people (and sets of copies) anew {resamples} times. The validation part chose the weights, the
calibration, the cuts and the operating point, so its figures flatter. Nothing was fitted on the test part, but
figures on it were looked at while earlier versions were being made, so they flatter a little too. The rare grades have
a few photographs each. The calibration error of few photographs is not 0 even where every probability is right: what
chance alone gives stands beside it. A clinic with another camera should expect no more than the worst source.

{parts}
### What the quality gate does
Shares of photographs accepted as gradable; sensitivity and specificity for grade >= 2 among those; and of all
photographs when an ungradable one counts as positive, because it is taken again or sent on (intention to screen). Test.

{gate}
### By grade
Of the photographs with a grade the share that got it (sensitivity), and of those that got it the share that has it
(precision). Test.

{by_grade}
{confusion}
### By camera geometry, eye, sex and age
Where the source tells, and each group has 30 photographs. Test.

{subgroups}{external}
The first tables are per photograph, by source, whatever the photograph's quality. To train in the same way, with the
photographs in `DR_DATA_DIR` and ImageNet weights under torchvision's names in `imagenet.npz`, and to measure again:

```sh
{commands}
```
"""


PART_TITLES = {
    "test": "Test",
    "validation": "Validation",
    "unseen": "Sources that were left out of training altogether",
}


def write_card(bundle: Bundle) -> None:
    """Write model-card.md beside bundle.json."""
    (bundle.folder / "model-card.md").write_text(card_text(bundle))


def write_cards(bundle: Bundle) -> None:
    """Write the card beside bundle.json and, for readers of the documentation, in docs."""
    write_card(bundle)
    DOCUMENTATION.write_text(card_text(bundle))


def card_text(bundle: Bundle) -> str:
    """The card in Markdown. Raises BundleError where the bundle has no evaluation of its very weights."""
    evaluation = read_evaluation(bundle)
    parts, tested = evaluation["parts"], evaluation["parts"].get("test", {})
    return TEXT.format(
        version=bundle.model_version,
        architecture=bundle.architecture,
        side=bundle.side_px,
        size=bundle.weights.stat().st_size / 1e6,
        precision=bundle.precision,
        sha=bundle.weights_sha256,
        temperature=bundle.temperature,
        rule=_rule(bundle.grade_cuts),
        point=bundle.operating_point,
        data=_data_table(bundle.training["photographs_by_grade"]),
        copies=bundle.training["n_copies_kept_together"],
        without=bundle.training["n_without_retina"],
        start=STARTING_WEIGHTS.get(bundle.architecture, "none"),
        lessons=_lessons(bundle.training["stages"]),
        resamples=evaluation["n_resamples"],
        parts="\n".join(
            f"### {PART_TITLES[p]}\n{_figures_table(parts[p], COLUMNS)}" for p in PART_TITLES if p in parts
        ),
        gate=_figures_table(tested, GATE, section="quality_gate"),
        by_grade=_grade_table(tested),
        confusion=_confusions(tested),
        subgroups=_subgroup_table(evaluation["subgroups"]),
        external=external_section(bundle),
        commands="\n".join(_commands(bundle)),
    )


def _rule(cuts: tuple[float, ...]) -> str:
    if not cuts:
        return "the most probable one"
    return f"the number of cuts ({', '.join(map(str, cuts))}) that the mean grade reaches"


def _lessons(stages: list[dict[str, Any]]) -> str:
    """What a network was taught by beside labelled photographs, in paragraphs of their own; empty where nothing."""
    ways = [stage["distillation"] for stage in stages if stage.get("distillation")]
    teachers = dict.fromkeys(name for way in ways for name in way["teachers"])
    unlabelled = dict.fromkeys(name for way in ways for name in way.get("unlabelled", []))
    text = ""
    if teachers:
        text += f"\n\nIt was distilled from {' and '.join(f'`{name}`' for name in teachers)}"
        text += f", also on photographs of {', '.join(unlabelled)} without a grade." if unlabelled else "."
    return text


def _commands(bundle: Bundle) -> list[str]:
    """The command line of each stage of training, of the export and of the evaluation."""
    commands = []
    for stage in bundle.training["stages"]:
        commands.append(_training_command(stage))
        if stage.get("alpha"):
            commands.append(f"python -m ml average {stage['run']} --alpha {stage['alpha']}")
    return [*commands, _export_command(bundle), f"python -m ml evaluate ml/bundles/{bundle.name}-{bundle.version}"]


def _export_command(bundle: Bundle) -> str:
    last = bundle.training["stages"][-1]
    options = [f"--name {bundle.name}", f"--version {bundle.version}"]
    options += [] if bundle.precision == "fp32" else [f"--precision {bundle.precision}"]
    options += [] if bundle.side_px == last["image_size"] else [f"--side-px {bundle.side_px}"]
    return f"python -m ml export {last['run']} {' '.join(options)}"


def _training_command(stage: dict[str, Any]) -> str:
    begin = f"--init-from {stage['init_from']}" if stage["init_from"] else "--imagenet imagenet.npz"
    options = [f"--run {stage['run']}", begin, *_options(stage, TrainingConfig(), always=ALWAYS_SHOWN)]
    command, how = "train", stage.get("distillation")
    if how:
        command = "distill"
        teachers = tuple(how["teachers"])
        options += [f"--teachers {' '.join(teachers)}", *_options(how, Distillation(teachers=teachers))]
    n_finished = stage.get("epochs_finished", stage["epochs"])
    stopped = "" if n_finished >= stage["epochs"] else f"  # stopped after {n_finished} epochs"
    return f"python -m ml {command} {' '.join(options)}{stopped}"


def _options(stage: dict[str, Any], usual: TrainingConfig | Distillation, *, always: tuple[str, ...] = ()) -> list[str]:
    """Options of the command line for what is not as usual, and for ``always``."""
    options = []
    for field in dataclasses.fields(usual):
        name, value = field.name, stage.get(field.name, getattr(usual, field.name))
        value = tuple(value) if isinstance(value, list) else value
        if name in SHOWN_ELSEWHERE or (name not in always and value == getattr(usual, name)):
            continue
        option = name.replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{option}" if value else f"--no-{option}")
        else:
            options.append(f"--{option} {' '.join(map(str, value)) if isinstance(value, tuple) else value}")
    return options


def _data_table(counts: dict[str, dict[str, list[int]]]) -> str:
    rows = [["source", "part", "grade 0", "1", "2", "3", "4"]]
    rows += [[s, part, *map(str, n)] for s, parts in sorted(counts.items()) for part, n in parts.items()]
    return table(rows)


def _figures_table(entries: dict[str, Any], columns: tuple[tuple[str, str], ...], *, section: str = "figures") -> str:
    rows = [["source", "photographs", *(title for _, title in columns)]]
    for source, entry in sorted(entries.items()):
        rows.append(
            [source, str(entry["n"]), *(with_interval(entry[section].get(key, entry.get(key))) for key, _ in columns)]
        )
    return table(rows)


def _grade_table(entries: dict[str, Any]) -> str:
    rows = [["source", "figure", *(f"grade {k}" for k in range(N_GRADES))]]
    for source, entry in sorted(entries.items()):
        rows.append([source, "photographs", *map(str, entry["n_by_grade"])])
        for figure in ("sensitivity", "precision"):
            values = [with_interval(entry["figures"][f"{figure}_grade_{k}"]) for k in range(N_GRADES)]
            rows.append([source, figure, *values])
    return table(rows)


def _confusions(entries: dict[str, Any]) -> str:
    rows = [["source", "true grade", *(f"graded {k}" for k in range(N_GRADES))]]
    for source, entry in sorted(entries.items()):
        rows += [[source, str(k), *map(str, counts)] for k, counts in enumerate(entry["confusion"])]
    return table(rows)


def _subgroup_table(subgroups: dict[str, Any]) -> str:
    rows = [["source", "group", "photographs", "grade >= 2", *(title for _, title in SHORT)]]
    for source, attributes in sorted(subgroups.items()):
        for attribute, groups in attributes.items():
            for name, entry in groups.items():
                counts = [str(entry["n"]), str(entry["n_referable"])]
                values = [with_interval(entry["figures"][key]) for key, _ in SHORT]
                rows.append([source, f"{attribute}: {name}", *counts, *values])
    return table(rows)


if __name__ == "__main__":  # python -m ml.card: the released bundle's card, for readers of the documentation
    DOCUMENTATION.write_text(card_text(read_bundle()))

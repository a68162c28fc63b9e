"""Model card of the quality gate, generated from its network.json."""

import json
from pathlib import Path
from typing import Any

from ml.metrics.markdown import table, with_interval
from ml.release.rendering import render
from ml.serving.quality.gate import DESCRIPTION, FOLDER

QUALITY_CARD = Path(__file__).parents[2] / "docs" / "quality-card.md"
#: Targets for EyePACS and EyeQ photographs together: readers' label, level, fraction, whether it is a minimum.
TARGETS = (
    ("good", "gradable", 0.97, True),
    ("good", "good", 0.90, True),
    ("reject", "gradable", 0.30, False),
    ("reject", "good", 0.15, False),
)
#: The same for DRIMDB: at most so many of its bad photographs and of its images without a retina are gradable.
DRIMDB_TARGETS = (("reject", 0.20), ("negative", 0.0))


def card_text() -> str:
    """The card in Markdown."""
    content: dict[str, Any] = json.loads((FOLDER / DESCRIPTION).read_text())
    photographs, metrics = content["photographs"], content["metrics"]
    data = [("source", "label", "training", "validation", "test")]
    data += [(source, label, *n) for source, labels in photographs.items() for label, n in labels.items()]
    tables = {
        "data": table(data),
        "levels": levels_table(metrics["levels"]),
        "targets": targets_table(metrics["eyepacs"], metrics["levels"]["drimdb"]),
        "reasons": reasons_table(metrics["reasons"]),
    }
    return render("quality-card.md", **content, tables=tables)


def levels_table(levels: dict[str, Any]) -> str:
    """Fractions gradable and good by source and label."""
    rows = [("source", "label", "photographs", "gradable", "good")]
    rows += [
        (source, label, row["n"], f"{row['gradable']:.1%}", f"{row['good']:.1%}")
        for source, labels in levels.items()
        for label, row in labels.items()
    ]
    return table(rows)


def targets_table(eyepacs: dict[str, Any], drimdb: dict[str, Any]) -> str:
    """What was reached for EyePACS and EyeQ together, and for DRIMDB, and by how much it is short."""
    rows = [("label", "photographs", "accepted as", "target", "reached", "short by")]
    for label, level, target, is_minimum in TARGETS:
        reached = eyepacs[label][level]
        missing = target - reached[0] if is_minimum else reached[0] - target
        aim = f"{'at least' if is_minimum else 'at most'} {target:.0%}"
        rows.append((f"EyePACS {label}", eyepacs[label]["n"], level, aim, with_interval(reached), _short(missing)))
    for label, target in DRIMDB_TARGETS:
        found = drimdb[label]
        reached, missing = f"{found['gradable']:.3f}", _short(found["gradable"] - target)
        rows.append((f"DRIMDB {label}", found["n"], "gradable", f"at most {target:.0%}", reached, missing))
    return table(rows)


def _short(missing: float) -> str:
    return f"{missing:.1%}" if missing > 0 else "-"


def reasons_table(reasons: dict[str, Any]) -> str:
    """First reasons by readers' label: number usable with limits, number ungradable."""
    titles = ("good or graded", "usable", "reject")
    rows = [("reason", *(f"{title}: usable / ungradable" for title in titles))]
    rows += [
        (reason, *(" / ".join(map(str, found.get(title, (0, 0)))) for title in titles))
        for reason, found in sorted(reasons.items())
    ]
    return table(rows)

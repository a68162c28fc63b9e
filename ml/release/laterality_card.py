"""Model card of the laterality network, generated from its network.json."""

import json
from pathlib import Path
from typing import Any

from ml.metrics.markdown import table, with_interval
from ml.release.rendering import render
from ml.serving.laterality.network import DESCRIPTION, FOLDER

Cells = tuple[object, ...]
LATERALITY_CARD = Path(__file__).parents[2] / "docs" / "laterality-card.md"


def card_text() -> str:
    """The card in Markdown."""
    content: dict[str, Any] = json.loads((FOLDER / DESCRIPTION).read_text())
    metrics = content["metrics"]
    data: list[Cells] = [("source", "training", "validation", "test")]
    data += [(source, *n) for source, n in content["training"]["photographs"].items()]
    by_source: list[Cells] = [
        ("source", "photographs", "people", "with an answer", "right, of the answers", "wrong answers")
    ]
    by_source += [
        (
            source,
            row["n"],
            row["n_patients"],
            *(with_interval(row[name]) for name in ("answered", "right")),
            row["n_wrong"],
        )
        for source, row in metrics["by_source"].items()
    ]
    reliability: list[Cells] = [("confidence from", "photographs", "mean confidence", "right")]
    reliability += [
        (row["from"], row["n"], f"{row['confidence']:.3f}", f"{row['right']:.3f}") for row in metrics["by_confidence"]
    ]
    changed: list[Cells] = [("the same photographs", "with an answer")]
    changed += [(name, f"{fraction:.1%}") for name, fraction in metrics["answered_if_changed"].items()]
    tables = {"data": data, "by_source": by_source, "reliability": reliability, "changed": changed}
    return render("laterality-card.md", **content, tables={name: table(rows) for name, rows in tables.items()})

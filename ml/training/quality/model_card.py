"""Model card of the quality gate, generated from network.json: ``python -m ml.training.quality.model_card``."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ml.metrics.markdown import table, with_interval
from ml.serving.quality.gate import DESCRIPTION, FOLDER

QUALITY_CARD = Path(__file__).parents[3] / "docs" / "quality-card.md"
SCORES = {"rules": "rules", "network": "network alone", "fusion": "fusion"}


def card_text() -> str:
    """The card in Markdown."""
    content: dict[str, Any] = json.loads((FOLDER / DESCRIPTION).read_text())
    photographs, accepted = content["training"]["photographs"], content["metrics"]["accepted_on_test"]
    eyeq = content["metrics"]["eyeq_test"]
    data = [[source, label, *map(str, n)] for source, labels in photographs.items() for label, n in labels.items()]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown
    )
    return environment.get_template("quality_card.md.jinja").render(
        content,
        table=table,
        with_interval=with_interval,
        eyeq=eyeq,
        data=[["source", "label", "training", "validation", "test"], *data],
        accepted=[
            ["source", "label", "photographs", "rules", "fusion"],
            *(
                [source, label, str(row["n"]), f"{row['rules']:.1%}", f"{row['fusion']:.1%}"]
                for source, labels in accepted.items()
                for label, row in labels.items()
            ),
        ],
        compared=[
            ["score", "AUC, gradable against reject", "rejects accepted"],
            *(
                [title, with_interval(eyeq[f"auc_{name}"]), with_interval(eyeq[f"rejects_accepted_{name}"])]
                for name, title in SCORES.items()
            ),
        ],
    )


if __name__ == "__main__":
    QUALITY_CARD.write_text(card_text())

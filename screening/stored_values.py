"""Stored values in a form: which of them a person changed, and whether another person did meanwhile. No Django."""

import json
from collections.abc import Mapping
from typing import Any


class ValuesChanged(ValueError):
    """Another person changed an entered value after the page was opened. ``stored``: these values now, by name."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.stored = dict(stored)
        super().__init__(f"changed meanwhile: {', '.join(sorted(stored))}")


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them; a date or a decimal as text. So they are compared."""
    found: dict[str, Any] = json.loads(json.dumps(dict(values), default=str))
    return found


def entered_values(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Those that differ from ``base``, the values when the page was opened; all of them without a base."""
    sent = as_json(values)
    return {name: value for name, value in values.items() if name not in base or sent[name] != base[name]}


def require_unchanged(entered: Mapping[str, Any], *, base: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Raise ValuesChanged if an entered value is stored as neither that of ``base`` nor that which was entered."""
    sent, now = as_json(entered), as_json(stored)
    changed = [name for name in sent if name in base and now[name] not in (base[name], sent[name])]
    if changed:
        raise ValuesChanged({name: stored[name] for name in changed})

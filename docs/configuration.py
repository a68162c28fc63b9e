"""Write docs/configuration.md, the table of all settings, from ``.env.example`` and ``drsite/settings.py``.

    python -m docs.configuration

``.env.example`` has the descriptions and defaults; the type is that with which ``settings.py`` reads the variable.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "configuration.md"
TYPES = {
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "list": "comma-separated list",
    "path": "folder",
    "db_url": "URL",
    "cache_url": "URL",
    "email_url": "URL",
}
_VARIABLE = re.compile(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=(.*)$")
_SECTION = re.compile(r"^# --- (.+) ---$")
_HEAD = """<!-- Written by docs/configuration.py from .env.example and drsite/settings.py. Edit those. -->
# Configuration

An installation reads its settings from environment variables; `make demo` needs none of them.
[.env.example](../.env.example) is a file to copy, with the defaults. An empty variable counts as not set. Any variable
may be in a file instead: `NAME_FILE=/path` in place of `NAME=value`, as for Docker secrets. Servers and workers do not
start with weak secrets; `manage.py doctor` checks the rest.
"""
_DEMO = """
## The demo
| variable | default | |
|---|---|---|
| `PORT` | 8000 | port of the pages |
| `HOST` | 127.0.0.1 | address to which the server binds; 0.0.0.0 makes it reachable from other machines |
| `DEMO_DIR` | var/demo | database, photographs and secrets; delete the folder for a new clinic |
| `DEMO_PASSWORD` | random, kept in the folder | password of the three users |
| `DEMO_PHOTOS` | | a folder of photographs for a new clinic, in place of synthetic ones |
| `DEMO_API_KEY` | random, kept in the folder | key for the REST API |
"""


@dataclass(frozen=True)
class Variable:
    """An environment variable as ``.env.example`` describes it."""

    name: str
    default: str
    description: str


def read_example(text: str) -> dict[str, list[Variable]]:
    """The variables of each section."""
    sections: dict[str, list[Variable]] = {}
    comment: list[str] = []
    current: list[Variable] = []
    for line in text.splitlines():
        if section := _SECTION.match(line):
            current = sections.setdefault(section[1][0].upper() + section[1][1:], [])
            comment = []
        elif variable := _VARIABLE.match(line):
            current.append(Variable(variable[1], variable[2], " ".join(comment)))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
    return sections


def read_types(source: str) -> dict[str, str]:
    """Type of each variable that settings read with ``env.TYPE("NAME")``."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {
        call.args[0].value: call.func.attr
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def render() -> str:
    """The text of the page."""
    sections = read_example((ROOT / ".env.example").read_text())
    types = read_types((ROOT / "drsite" / "settings.py").read_text())
    page = [_HEAD]
    for title, variables in sections.items():
        page += [f"## {title}", "| variable | default | type | |", "|---|---|---|---|"]
        for variable in variables:
            default = f"`{variable.default}`" if variable.default else ""
            kind = TYPES[types[variable.name]] if variable.name in types else ""
            page.append(f"| `{variable.name}` | {default} | {kind} | {variable.description.replace('|', '&#124;')} |")
        page.append("")
    return "\n".join(page).rstrip() + "\n" + _DEMO


if __name__ == "__main__":
    PAGE.write_text(render())

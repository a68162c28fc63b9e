"""Markdown documents from the Jinja2 templates in ml/release/templates."""

import textwrap
from pathlib import Path
from typing import Any

import jinja2

from ml.vocabulary import N_GRADES

MAX_LINE_LENGTH = 120
TEMPLATES = Path(__file__).parent / "templates"

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=jinja2.select_autoescape(),  # of HTML, not of Markdown
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def wrap(text: str) -> str:
    """Paragraphs with lines of at most 120 characters, and a newline."""
    wrapper = textwrap.TextWrapper(MAX_LINE_LENGTH, break_long_words=False, break_on_hyphens=False)
    return "\n\n".join(wrapper.fill(" ".join(p.split())) for p in text.strip().split("\n\n")) + "\n"


_environment.filters["wrap"] = wrap
_environment.globals["grades"] = range(N_GRADES)


def render(template: str, **context: Any) -> str:
    """Fill in ``template``.j2. Raises jinja2.UndefinedError for a missing value."""
    return _environment.get_template(f"{template}.j2").render(context)

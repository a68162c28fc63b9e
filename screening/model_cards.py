"""Model cards: the Markdown that ``ml/release/model_card.py`` writes, as blocks for a template.

Headings, paragraphs, lists, tables and code; in a line bold, code and links. Anything else stays text. Blocks and spans
have no HTML, so that a card of another origin cannot bring any into a page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_SPAN = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|`(?P<code>[^`]+)`|\[(?P<link>[^\]]+)\]\([^)\s]*\)")
_RULE = re.compile(r"\|[\s:|-]+\|?\s*")
Kind = Literal["text", "bold", "code", "link"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line. A link has its text alone: its address leads out of the page, or nowhere."""

    kind: Kind
    text: str


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading (of ``level``), paragraph, list (``lines``), table (``head`` and ``rows``) or code (``text``)."""

    kind: Literal["heading", "paragraph", "list", "table", "code"]
    level: int = 0
    text: str = ""
    lines: tuple[Line, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def blocks_of_card(text: str) -> list[Block]:
    """The blocks of a card in their order."""
    return [_block(lines) for lines in _groups(text)]


def _groups(text: str) -> Iterator[list[str]]:
    """Lines that belong together: between empty lines, a heading alone, and code with its fences."""
    group: list[str] = []
    is_code = False
    for line in text.splitlines():
        is_fence = line.startswith("```")
        if is_code or is_fence:
            if is_fence and not is_code and group:
                yield group
                group = []
            group.append(line)
            if is_fence and is_code:
                yield group
                group = []
            is_code = is_code != is_fence
        elif not line.strip() or line.startswith("#"):
            if group:
                yield group
            group = []
            if line.strip():
                yield [line]
        else:
            group.append(line)
    if group:
        yield group


def _block(lines: list[str]) -> Block:
    first = lines[0]
    if first.startswith("```"):
        return Block(kind="code", text="\n".join(line for line in lines if not line.startswith("```")))
    if first.startswith("#"):
        marks, _space, title = first.partition(" ")
        return Block(kind="heading", level=len(marks), text=title)
    if first.startswith("|"):
        rows = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
        return Block(kind="table", head=rows[0] if rows else (), rows=tuple(rows[1:]))
    if first.startswith(("- ", "* ")):
        return Block(kind="list", lines=tuple(_spans(item) for item in _items(lines)))
    return Block(kind="paragraph", lines=(_spans(" ".join(lines)),))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if line.startswith(("- ", "* ")) or not items:
            items.append(line[2:])
        else:
            items[-1] += f" {line.strip()}"
    return items


def _spans(text: str) -> Line:
    spans: list[Span] = []
    end = 0
    for match in _SPAN.finditer(text):
        if match.start() > end:
            spans.append(Span("text", text[end : match.start()]))
        kind: Kind = "bold" if match["bold"] else "code" if match["code"] else "link"
        spans.append(Span(kind, match[kind]))
        end = match.end()
    if end < len(text):
        spans.append(Span("text", text[end:]))
    return tuple(spans)

"""Model cards as blocks."""

from ml.bundle import read_bundle
from screening.model_cards import Span, blocks_of_card
from screening.services.bundles import read_card

CARD = """# Title
A line with **bold**,
`code` and [a link](https://example.org/x).

- one
  more
- two

| a | b |
|---|:-:|
| 1 | <script> |
```sh
# no heading
```
"""


def test_each_kind_of_block() -> None:
    heading, paragraph, items, table, code = blocks_of_card(CARD)
    assert (heading.kind, heading.level, heading.text) == ("heading", 1, "Title")
    assert paragraph.lines == (
        (
            Span("text", "A line with "),
            Span("bold", "bold"),
            Span("text", ", "),
            Span("code", "code"),
            Span("text", " and "),
            Span("link", "a link"),
            Span("text", "."),
        ),
    )
    assert next(line[0].text for line in items.lines) == "one more"
    assert (table.head, table.rows) == (("a", "b"), (("1", "<script>"),))
    assert (code.kind, code.text) == ("code", "# no heading")


def test_the_card_of_a_release_has_no_marks_left(released_bundle: None) -> None:
    blocks = blocks_of_card(read_card(read_bundle()))
    assert {block.kind for block in blocks} == {"heading", "paragraph", "table", "code"}
    texts = [span.text for block in blocks for line in block.lines for span in line if span.kind == "text"]
    assert not any("**" in text or "|--" in text or "](" in text for text in texts)
    assert all(len(cells) == len(block.head) for block in blocks for cells in block.rows)


def test_no_text_is_no_block() -> None:
    assert blocks_of_card("") == blocks_of_card("\n \n") == []

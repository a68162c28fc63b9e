"""The page on the architecture is true, and no link of a page is broken."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GITHUB_ACTIONS = "../../actions/"  # of the badge; GitHub resolves it
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def entries_of_tree() -> dict[str, set[str]]:
    """Names on the lines of the tree, by top-level folder."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    lines = text.partition("```\n")[2].partition("```")[0].splitlines()
    entries: dict[str, set[str]] = {}
    folder = ""
    for line in lines:
        names = {
            name.rstrip("/") for name in re.split(r"\s{3,}", line.strip())[0].split() if "/" in name or "." in name
        }
        if not line.startswith(" "):
            folder = next(iter(names)) if len(names) == 1 else ""
        else:
            entries.setdefault(folder, set()).update(names)
    return entries


@pytest.mark.parametrize("package", ["screening", "ml"])
def test_the_tree_names_what_is_there(package: str) -> None:
    named = entries_of_tree()[package]
    folders = {path.name for path in (ROOT / package).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name for name in named if not (ROOT / package / name).exists()} == set()
    assert folders - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"""\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)="([^"]+)""", page.read_text())
    targets = [target for pair in links for target in pair if target and "://" not in target]
    missing = [t for t in targets if not t.startswith(GITHUB_ACTIONS) and not (page.parent / t).exists()]
    assert missing == []

"""Check the vocabulary: report identifiers and phrases that ``vocabulary.toml`` lists.

    python docs/style/vocabulary.py PATH ...           # path:line: what, what to write instead, and why
    python docs/style/vocabulary.py --count PATH ...   # findings for each folder

Identifiers are those that the code defines: modules, classes, functions, arguments, variables and attributes.
"""

import argparse
import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = {".py", ".md", ".html", ".js", ".css", ".sh", ".toml", ".yml", ".yaml", ".j2", ".txt", ".example", ""}
NOT_CHECKED = ("docs/style/", "static/vendor/", "LICENSE", "CHANGELOG.md", "tests/docs/test_vocabulary.py")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Rule:
    """A retired word, name or phrase, and what to write instead."""

    write: str
    reason: str
    words: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    is_noun: bool = False
    only_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    allowed: frozenset[str] = frozenset()

    def applies_to(self, path: str) -> bool:
        is_in = not self.only_in or path.startswith(self.only_in)
        return is_in and not (self.not_in and path.startswith(self.not_in))

    def refuses(self, identifier: str) -> bool:
        """Whether ``identifier`` is a listed name, or has a listed word outside the allowed names."""
        if identifier in self.names:
            return True
        if self.is_noun and identifier.startswith("test_"):
            return False
        refused, rest = self.words | (self.constants if identifier.isupper() else frozenset()), identifier
        for name in self.allowed:
            rest = re.sub(rf"(?<![a-zA-Z]){name}(?![a-zA-Z])", "", rest)
        return not refused.isdisjoint(word.lower() for word in _WORD.findall(rest))


@dataclass(frozen=True)
class Finding:
    """A place that uses a retired word, name or phrase."""

    path: str
    line: int
    text: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text} -> {self.rule.write}. {self.rule.reason}"


def load_rules() -> tuple[list[Rule], list[Rule]]:
    """Rules for identifiers, rules for phrases."""
    table = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text())
    identifiers = [
        Rule(
            write=entry["write"],
            reason=entry["reason"],
            words=frozenset(entry.get("words", ())),
            constants=frozenset(entry.get("constants", ())),
            names=frozenset(entry.get("names", ())),
            only_in=tuple(f"{folder}/" for folder in entry.get("in", ())),
            not_in=tuple(f"{folder}/" for folder in entry.get("except", ())),
            allowed=frozenset(entry.get("allowed", ())),
            is_noun=entry.get("is_noun", False),
        )
        for entry in table["identifier"]
    ]
    phrases = [
        Rule(write=entry["write"], reason=entry["reason"], pattern=re.compile(entry["pattern"], re.IGNORECASE))
        for entry in table["phrase"]
    ]
    return identifiers, phrases


def defined_identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module defines. Imported names are defined elsewhere."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def check_file(path: Path, identifiers: Iterable[Rule], phrases: Iterable[Rule], *, root: Path = ROOT) -> list[Finding]:
    """Findings of one file."""
    name = path.relative_to(root).as_posix()
    text = path.read_text()
    found = [
        Finding(name, number, match[0], rule)
        for number, line in enumerate(text.splitlines(), start=1)
        for rule in phrases
        if rule.pattern is not None
        for match in rule.pattern.finditer(line)
    ]
    if path.suffix == ".py":
        rules = [rule for rule in identifiers if rule.applies_to(name)]
        defined = {(1, path.stem), *defined_identifiers(ast.parse(text))}
        refused = {used: [rule for rule in rules if rule.refuses(used)] for used in {used for _line, used in defined}}
        found += [Finding(name, line, used, rule) for line, used in sorted(defined) for rule in refused[used]]
    return found


def tracked_files(paths: list[str]) -> list[Path]:
    """Text files under ``paths`` that git tracks."""
    command = ["git", "ls-files", "-z", "--", *paths]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")  # noqa: S603
    return [
        ROOT / name
        for name in names
        if name and not name.startswith(NOT_CHECKED) and Path(name).suffix in TEXT_SUFFIXES and (ROOT / name).exists()
    ]


def main() -> int:
    """Print findings; 1 if there are any."""
    parser = argparse.ArgumentParser(description="Check the vocabulary of the project.")
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument(
        "--count", action="store_true", help="print the number of findings for each folder, and return 0"
    )
    options = parser.parse_args()
    rules = load_rules()
    found = [finding for path in tracked_files(options.paths) for finding in check_file(path, *rules)]
    if options.count:
        folders = Counter(f.path.rsplit("/", 1)[0] if "/" in f.path else "." for f in found)
        sys.stdout.writelines(f"{n:5} {folder}\n" for folder, n in sorted(folders.items()))
        return 0
    sys.stdout.writelines(f"{finding}\n" for finding in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

"""No text for people is written outside of a translation function. Templates: test_templates."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest
from django.conf import settings

from ml.serving.files import rejections
from ml.serving.files.rejections import MAX_MB, MAX_PIXELS, MIN_SIDE_PX

ROOT = Path(settings.BASE_DIR)
NOT_FOR_READERS = {
    *("management", "demo", "health", "system_checks.py", "secret_strength.py", "mark_exports.py"),  # for operators
    *("migrations", "append_only.py"),
    *("schema.py", "auto_schema.py", "capabilities.py"),  # the description of the API, for programmers
    "codes.py",  # names of LOINC, DICOM and HL7
    "policy",  # imports no Django: its codes have texts in labels/
}
"""In English."""
FUNCTIONS = {
    *("_", "gettext", "gettext_lazy", "gettext_noop", "pgettext", "pgettext_lazy"),
    *("ngettext", "ngettext_lazy", "npgettext", "npgettext_lazy"),
}
LOGS = {"debug", "info", "warning", "error", "exception", "critical"}
OF_THE_SCHEMA = {
    "help_text",
    "summary",
    "description",
    "_header",
    "cursor_query_description",
    "page_size_query_description",
    "AddressField",
}
"""Names of arguments, attributes and functions with a description of the API."""
FAULTS = {"ValueError", "TypeError", "RuntimeError", "LookupError", "KeyError", "IntegrityError", "BundleError"}
"""Raised for a mistake in the program or in its installation, never shown."""
REJECTIONS = "ml/serving/files/rejections.py"
MARKED_IN_ML = ("REJECTIONS", "OTHER_FORMATS", "ACCEPTED", "text")
"""Its sentences, which ``screening.photos.validation`` translates."""
FILES = sorted(
    path for path in (ROOT / "screening").rglob("*.py") if not NOT_FOR_READERS & set(path.relative_to(ROOT).parts)
)


def name_of(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_exempt(node: ast.AST, *, is_api: bool) -> bool:
    if isinstance(node, ast.Call):
        name = name_of(node.func)
        is_log = isinstance(node.func, ast.Attribute) and name_of(node.func.value) == "logger" and name in LOGS
        return (
            is_log or name in FUNCTIONS | FAULTS or (is_api and (name in OF_THE_SCHEMA or name.startswith("OpenApi")))
        )
    if isinstance(node, ast.keyword):
        return is_api and node.arg in OF_THE_SCHEMA
    if isinstance(node, ast.Assign):
        name = name_of(node.targets[0])
        is_of_several = name.removeprefix("_").isupper()  # the description of several fields
        return is_api and (is_of_several or name in OF_THE_SCHEMA)
    if isinstance(node, ast.FunctionDef):
        return node.name == "__str__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring


def literals(node: ast.AST, *, is_api: bool = False) -> Iterator[ast.Constant]:
    """String constants outside of translation functions, logs, docstrings and the OpenAPI schema."""
    for child in ast.iter_child_nodes(node):
        if is_exempt(child, is_api=is_api):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child
        yield from literals(child, is_api=is_api)


NAME = re.compile(r"[A-Z]\w+(?:-[A-Z]\w+)* [A-Z]\w+(?:-[A-Z]\w+)*")
"""A made-up person of an example."""


def is_sentence(text: str) -> bool:
    """Whether it looks like text for people: two words, a capital letter or a full stop."""
    if NAME.fullmatch(text):
        return False
    is_phrase = re.search(r"[a-z]{2,} [A-Za-z]{2,}", text)
    return bool(is_phrase and re.search(r"^[\s“(]*[A-Z]|[.!?]\s*$", text))


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The parsed files, by name. Read only."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in [*FILES, ROOT / REJECTIONS]}


def test_every_sentence_is_translatable(trees: dict[str, ast.Module]) -> None:
    found = [
        (name, one.lineno, one.value)
        for name, tree in trees.items()
        if name != REJECTIONS
        for one in literals(tree, is_api="api" in name.split("/"))
        if is_sentence(str(one.value))
    ]
    assert found == []


def test_translation_functions_have_the_names_that_are_extracted(trees: dict[str, ast.Module]) -> None:
    imported = [(name, node) for name, tree in trees.items() for node in ast.walk(tree) if is_of_translation(node)]
    assert len(imported) > 100
    names = [(name, one.asname) for name, node in imported for one in node.names]
    assert [(name, alias) for name, alias in names if alias not in {None, "_"}] == []


def is_of_translation(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"


def test_a_translated_text_is_one_literal(trees: dict[str, ast.Module]) -> None:
    """Values are filled in after the translation, and no sentence is built of translated pieces."""
    found = []
    for name, tree in trees.items():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        texts = [call.args[0] for call in calls if name_of(call.func) in FUNCTIONS and call.args]
        sources = [ast.unparse(text) for text in texts if not isinstance(text, ast.Constant)]
        found += [(name, source) for source in sources if not source.startswith(MARKED_IN_ML)]
    assert found == []


def test_limits_in_sentences_are_those_of_the_program() -> None:
    """The catalogue has sentences, not values."""
    assert f" {MAX_MB} MB" in rejections.REJECTIONS["too_large"]
    assert f" {3 * MAX_MB} MB" in rejections.REJECTIONS["zip_too_large"]
    assert f" {MAX_PIXELS // 10**6} megapixels" in rejections.REJECTIONS["too_many_pixels"]
    assert f" {MIN_SIDE_PX} pixels" in rejections.REJECTIONS["too_small"]


@pytest.mark.parametrize("source", ['say("Choose an eye.")', 'say(f"There are {n} eyes.")', 'X = {"a": "Two eyes"}'])
def test_a_sentence_that_is_not_marked_is_found(source: str) -> None:
    assert [one for one in literals(ast.parse(source)) if is_sentence(str(one.value))]

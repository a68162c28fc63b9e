"""A browser reads from the joined files what it reads from the single ones."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from drsite import joined_files
from drsite.joined_files import JOINED_FILES, joined

RULES = """text => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return [...sheet.cssRules].map((rule) => rule.cssText.replace(/\\s*,\\s*/g, ","));
}"""
"""Values with variables stay as they are written, with the spaces beside a comma."""


@pytest.mark.parametrize("sheet", [name for name in JOINED_FILES if name.endswith(".css")])
def test_minified_style_sheets_have_the_same_rules(chromium: Browser, sheet: str) -> None:
    page = chromium.new_page()
    rules = page.evaluate(RULES, joined(sheet, is_minified=False))
    assert len(rules) > 40
    assert page.evaluate(RULES, joined(sheet, is_minified=True)) == rules
    page.close()


@pytest.mark.parametrize("is_minified", [False, True])
def test_scripts_are_strict_and_the_failure_of_one_stops_no_other(
    chromium: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_minified: bool
) -> None:
    scripts = {
        "first.js": '"use strict";\n(() => { window.steps = ["first"]; undeclared = 1; window.steps.push(2); })();\n',
        "second.js": '"use strict";\n(() => { window.steps.push("second"); })(); // a comment without a line break',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(joined_files, "sources", lambda _: [tmp_path / name for name in scripts])
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_script_tag(content=joined("joined/new.js", is_minified=is_minified))
    assert page.evaluate("window.steps") == ["first", "second"]
    assert len(errors) == 1
    assert "undeclared is not defined" in errors[0]
    page.close()

"""Style sheets and scripts in one file have what the single files have, and get a hash as these do."""

import gzip
import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from drsite import joined_files
from drsite.joined_files import JOINED_FILES, JoinedFilesFinder, joined, sources

ROOT = Path(__file__).parents[2]
STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
SHEETS = [name for name in JOINED_FILES if name.endswith(".css")]
OWN_SCRIPTS = sorted(
    {path for name in JOINED_FILES for path in sources(name) if path.suffix == ".js" and ".min." not in path.name}
)


def test_templates_load_each_joined_file_and_no_other() -> None:
    text = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    assert set(re.findall(r"'(joined/[\w.]+)'", text)) == set(JOINED_FILES)


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda path: path.stem)
def test_no_script_has_names_outside_of_its_function(script: Path) -> None:
    """In a joined file they would be hidden from other scripts; a script gives others what it sets on ``window``."""
    assert not re.search(r"^(const|let|var|function|class|async)\b", script.read_text(), re.MULTILINE)


def test_minified_scripts_keep_their_shaders() -> None:
    """Their first line ends with a line break, and a comment of a shader is not one of the script."""
    shaders = re.findall(r"`#version.*?`", (STATIC / "viewer_gl.js").read_text(), re.DOTALL)
    assert len(shaders) == 2
    assert all(shader in joined("joined/reading.js", is_minified=True) for shader in shaders)


def test_the_files_are_in_the_order_of_the_list() -> None:
    text = joined("joined/reading.js", is_minified=False)
    positions = [text.index(path.read_text()) for path in sources("joined/reading.js")]
    assert positions == sorted(positions)
    assert len(joined("joined/reading.js", is_minified=True)) < 0.8 * len(text)


def test_a_script_that_is_minified_already_stays_as_it_is() -> None:
    """Without the address of its source map, which is beside the single file."""
    path = Path(finders.find("vendor/tus-js-client/tus.min.js") or "")
    code, _, address = path.read_text().rpartition("//# sourceMappingURL=")
    assert address.strip() == "tus.min.js.map"
    text = joined("joined/capture.js", is_minified=True)
    assert code.strip() in text
    assert "sourceMappingURL" not in text


@pytest.mark.parametrize("sheet", SHEETS)
def test_addresses_in_style_sheets_lead_to_files(sheet: str) -> None:
    for address in re.findall(r"url\(\"?([^)\"]+)", joined(sheet, is_minified=True)):
        assert finders.find(os.path.normpath(Path(sheet).parent / address)), address


def test_a_missing_file_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOINED_FILES, "joined/new.js", ("page.js", "gone.js"))
    with pytest.raises(ImproperlyConfigured, match=r"joined/new.js is made of files that do not exist: gone.js"):
        JoinedFilesFinder().find("joined/new.js")


def test_threads_can_find_files_at_once() -> None:
    joined_files._folder.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(JoinedFilesFinder().find, [*JOINED_FILES] * 8))
    assert len(set(made)) == len(JOINED_FILES)
    assert all(Path(path).stat().st_size for path in made)


@pytest.fixture
def finders_of_settings() -> Iterator[None]:
    """Finders read the settings once."""
    get_finder: Any = finders.get_finder
    get_finder.cache_clear()
    yield
    get_finder.cache_clear()


def test_a_changed_file_is_joined_again(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path, finders_of_settings: None
) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    monkeypatch.setitem(JOINED_FILES, "joined/new.css", ("new.css",))
    source, finder = tmp_path / "new.css", JoinedFilesFinder()
    source.write_text("a {  color: red; }")
    made = Path(finder.find("joined/new.css"))
    assert made.read_text() == "a{color:red}"
    assert finder.find("joined/new.css", find_all=True) == [str(made)]
    written_ns = made.stat().st_ctime_ns
    assert Path(finder.find("joined/new.css")).stat().st_ctime_ns == written_ns, "not written again"
    source.write_text("a { color: blue; }")
    os.utime(source, (2e9, 2e9))
    settings.DEBUG = True
    assert Path(finder.find("joined/new.css")).read_text() == "a { color: blue; }", "developers read what they wrote"
    assert finder.find("new.css") == [], "other files are those of other finders"


class OwnFiles(AppDirectoriesFinder):
    """Without the files of the administration panel and of the API documentation, which take seconds to collect."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Any:
        return super().list([*(ignore_patterns or []), "admin", "drf_spectacular_sidecar", "rest_framework"])


def test_collected_files_have_a_hash_and_are_compressed(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        f"{__name__}.OwnFiles",
        "drsite.joined_files.JoinedFilesFinder",
    ]
    call_command("collectstatic", interactive=False, verbosity=0)
    collected = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    for name in JOINED_FILES:
        assert re.fullmatch(r"joined/\w+\.[0-9a-f]{12}\.(css|js)", collected[name])
        data = (tmp_path / collected[name]).read_bytes()
        assert gzip.decompress((tmp_path / f"{collected[name]}.gz").read_bytes()) == data
        assert not (tmp_path / name).exists()
    typeface = Path(collected["vendor/inter/inter-latin-400-600.woff2"]).name
    assert typeface in (tmp_path / collected["joined/pages.css"]).read_text()

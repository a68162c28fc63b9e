"""Style sheets and scripts of a page in one file: each request of a page costs time on a slow line.

``{% static "joined/reading.js" %}`` names a file that is made of the files listed here, in their order.
``collectstatic`` collects it as any other, so that it gets a hash and is compressed; the development server and tests
make it at the first request. A page with one script or style sheet besides those of all pages needs no line here.
"""

import functools
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage

_DESIGN = ("css/fonts.css", "css/tokens.css")
_VIEWER = (
    "heatmap.js",
    "viewer_clahe.js",
    "viewer_geometry.js",
    "viewer_retina.js",
    "viewer_tiles.js",
    "viewer_gl.js",
    "viewer_copy.js",
    "viewer_filter.js",
    "viewer_pane.js",
    "viewer_link.js",
    "viewer.js",
    "reading.js",
    "lesions.js",
)
_DRAWING = (
    "viewer_layout.js",
    "viewer_landmarks.js",
    "viewer_ruler.js",
    "viewer_marks_shapes.js",
    "viewer_marks.js",
    "viewer_marks_draw.js",
    "viewer_marks_bar.js",
)
JOINED_FILES: dict[str, tuple[str, ...]] = {
    "joined/pages.css": (
        *_DESIGN,
        "css/page.css",
        "css/controls.css",
        "css/messages.css",
        "css/tables.css",
        "css/worklist.css",
        "css/referrals.css",
        "css/results.css",
        "css/search.css",
        "css/print.css",
        "css/photographs.css",
    ),
    "joined/reading.css": ("css/viewer.css", "css/lesions.css", "css/reading.css", "css/marks.css"),
    "joined/admin.css": (*_DESIGN, "css/admin.css"),
    "joined/pages.js": (
        "django_htmx/htmx-2.min.js",
        "page.js",
        "menus.js",
        "search.js",
        "capture/store.js",
        "print.js",
        "session.js",
    ),
    "joined/worklist.js": ("worklist.js", "next_exam.js"),
    "joined/reading.js": ("exam_opening.js", *_VIEWER, *_DRAWING, "draft.js", "next_exam.js"),
    "joined/teaching.js": (*_VIEWER, *_DRAWING),
    "joined/predict.js": _VIEWER,
    "joined/capture.js": (
        "heatmap.js",
        "vendor/tus-js-client/tus.min.js",
        "capture/files.js",
        "capture/transfer.js",
        "capture/row.js",
        "capture/questions.js",
        "capture/tray.js",
    ),
}
"""Names of the files that pages load; of each, the files that it is made of."""

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def joined(name: str, *, is_minified: bool) -> str:
    """The text of a joined file. Raises ImproperlyConfigured if one of its files does not exist."""
    join = _style_sheet if name.endswith(".css") else _script
    return "\n".join(join(path, is_minified=is_minified) for path in sources(name))


def sources(name: str) -> list[Path]:
    """Paths of the files of a joined file, in their order."""
    found = {source: finders.find(source) for source in JOINED_FILES[name]}
    if missing := [source for source, path in found.items() if path is None]:
        raise ImproperlyConfigured(f"{name} is made of files that do not exist: {', '.join(missing)}")
    return [Path(str(path)) for path in found.values()]


def _style_sheet(path: Path, *, is_minified: bool) -> str:
    text = path.read_text(encoding="utf-8")
    return str(rcssmin.cssmin(text)) if is_minified else text


def _script(path: Path, *, is_minified: bool) -> str:
    """A script with its own strict mode and its own names. If it fails, the next ones run, as separate scripts do."""
    text = path.read_text(encoding="utf-8")
    if path.name.endswith(".min.js"):
        return _SOURCE_MAP.sub("", text).rstrip() + ";"
    if is_minified:
        text = str(rjsmin.jsmin(text))
    return f"try{{(()=>{{{text}\n}})()}}catch(error){{reportError(error)}}"


_MAKING = threading.Lock()  # a development server gets several requests at once


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Exists after the first use: a server in a read-only container has collected files, and makes none."""
    return tempfile.TemporaryDirectory(prefix="joined-files-")


def _make(name: str) -> Path:
    """The path of a joined file. Its time is that of the newest file of it, or of the list above."""
    changed_ns = max(path.stat().st_mtime_ns for path in (*sources(name), Path(__file__)))
    with _MAKING:
        target = Path(_folder().name) / name
        if not target.exists() or target.stat().st_mtime_ns != changed_ns:
            target.parent.mkdir(exist_ok=True)
            target.write_text(joined(name, is_minified=not settings.DEBUG), encoding="utf-8")
            os.utime(target, ns=(changed_ns, changed_ns))
    return target


Messages = list[CheckMessage]


class JoinedFilesFinder(finders.BaseFinder):
    """Makes the joined files in a temporary folder, and makes one again if a file of it has changed."""

    def check(self, **kwargs: Any) -> Messages:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in JOINED_FILES:
            return []
        made = str(_make(path))
        return [made] if find_all else made

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in JOINED_FILES:
            _make(name)
            yield name, FileSystemStorage(location=_folder().name)

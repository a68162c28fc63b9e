"""Print how long the main thread of a browser is busy while a 12-megapixel photograph is moved in the viewer.

    python -m benchmarks.viewer                                             # starts a demo clinic
    python -m benchmarks.viewer http://localhost:8000 reviewer PASSWORD     # a running demo clinic

The photographs of the first exam of the worklist are replaced by one of 4000 x 3000 pixels on their way to the browser.
The time of the processor is printed too: on a busy machine a task waits, and its length is not that of its work.
Chromium runs without a graphics card. Needs Playwright and an installed Chromium.
"""

import json
import shutil
import statistics
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

from docs.screenshots import PASSWORD, demo
from ml.serving.files.renditions import SCREEN_PX
from ml.serving.files.tiles import make_tiles, read_tile
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTH_PX, HEIGHT_PX = 4000, 3000
N_MOVES = 120
LONG_MS = 50
TRACED = ["devtools.timeline", "toplevel", "disabled-by-default-devtools.timeline"]


def photo(width_px: int) -> bytes:
    """A JPEG of a synthetic fundus, 4:3."""
    drawing = draw_fundus(drawing_for_grade(ICDRGrade(2), Laterality.RIGHT, seed=1))
    canvas = drawing.resize((width_px, width_px * HEIGHT_PX // WIDTH_PX), Image.Resampling.BICUBIC)
    out = BytesIO()
    canvas.save(out, "JPEG", quality=92)
    return out.getvalue()


def answer_with(body: bytes) -> Callable[[Route], None]:
    """A route that answers with a JPEG."""

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="image/jpeg")

    return answer


def answer_with_tiles(archive: bytes) -> Callable[[Route], None]:
    """A route that answers with the tile of the address."""

    def answer(route: Route) -> None:
        level, row, column = (int(number) for number in route.request.url.rstrip("/").split("/")[-3:])
        body = read_tile(BytesIO(archive), level=level, row=row, column=column)
        route.fulfill(body=body, content_type="image/jpeg")

    return answer


def open_reading(browser: Browser, address: str, user: str, password: str) -> Page:
    """The review page of the first exam, with photographs of 12 megapixels, before they are enlarged."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address).new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    reading = page.locator("a[href*='/review/']").first.get_attribute("href") or ""
    page.route("**/images/*/screen/", answer_with(photo(SCREEN_PX)))
    page.route("**/images/*/tiles/**", answer_with_tiles(make_tiles(photo(WIDTH_PX))))
    page.goto(reading)
    page.evaluate(
        """([width, height]) => {
            for (const photo of document.querySelectorAll("[data-viewer-photo][src]")) {
                photo.setAttribute("width", width);
                photo.setAttribute("height", height);
            }
        }""",
        [WIDTH_PX, HEIGHT_PX],
    )
    return page


def mark(page: Page) -> None:
    """Draw as many marks on each eye as a draft can hold."""
    page.evaluate(
        """() => {
            for (const pane of window.viewer.panes.filter((one) => one.isShown)) {
                const image = pane.photoId;
                for (let number = 0; number < 30; number += 1) {
                    const [x, y] = [0.3 + 0.4 * Math.random(), 0.3 + 0.4 * Math.random()];
                    const points = Array.from({ length: 40 }, (_, corner) => [
                        x + 0.02 * Math.cos(corner / 6.4), y + 0.02 * Math.sin(corner / 6.4),
                    ].map(window.viewerMarkShapes.round));
                    window.viewerMarks.add({ image, kind: "haemorrhages", shape: "outline", points });
                    const circle = { image, kind: "hard_exudates", shape: "circle", points: [[y, x]], radius: 0.01 };
                    window.viewerMarks.add(circle);
                    window.viewerMarks.add({ image, kind: "microaneurysms", shape: "point", points: [[x, y]] });
                }
            }
        }"""
    )
    print(f"{page.locator('.mark').count()} marks", end=", ")


def move(page: Page) -> None:
    """Drag the enlarged photograph to and fro, and zoom in between."""
    box: Any = page.locator("[data-viewer-window]").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(N_MOVES):
        page.mouse.move(x + 120 * ((step % 40) / 20 - 1), y + 80 * ((step % 24) / 12 - 1))
    page.mouse.up()
    for step in range(20):
        page.mouse.wheel(0, 60 if step % 2 else -60)


Lengths = list[tuple[float, float]]


def task_lengths_ms(page: Page, browser: Browser) -> Lengths:
    """Lengths of the tasks of the page's main thread and the processor's time for them, ms, longest first."""
    browser.start_tracing(page=page, categories=TRACED)
    move(page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {(one["pid"], one["tid"]) for one in events if one.get("args", {}).get("name") == "CrRendererMain"}
    tasks = [one for one in events if one["name"] == "RunTask" and one.get("ph") == "X"]
    own = [one for one in tasks if (one["pid"], one["tid"]) in mains and "dur" in one]
    return sorted(((one["dur"] / 1000, one.get("tdur", one["dur"]) / 1000) for one in own), reverse=True)


def report(title: str, lengths: Lengths) -> None:
    """Print one line."""
    walls, processor = ([length[i] for length in lengths] for i in (0, 1))
    n_long, n_busy = (sum(length > LONG_MS for length in one) for one in (walls, processor))
    longest = ", ".join(f"{length:.1f}" for length in walls[:3])
    median = statistics.median(walls)
    print(f"{title}: {len(lengths)} tasks, median {median:.2f} ms, longest {longest} ms, {n_long} over {LONG_MS} ms")
    print(f"    of the processor: longest {max(processor):.1f} ms, {n_busy} over {LONG_MS} ms")


def measure(address: str, user: str, password: str) -> None:
    """Print the lengths for the copy of screen size, while tiles are loaded, and with them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = open_reading(browser, address, user, password)
        page.wait_for_load_state("networkidle")
        report("at the size of the pane", task_lengths_ms(page, browser))
        page.keyboard.press("z")
        report("at 1:1, while tiles are loaded", task_lengths_ms(page, browser))
        page.wait_for_load_state("networkidle")
        report("at 1:1", task_lengths_ms(page, browser))
        page.keyboard.press("g")
        report("at 1:1, while the red-free view is computed", task_lengths_ms(page, browser))
        report("at 1:1, red-free with local contrast", task_lengths_ms(page, browser))
        page.keyboard.press("g")
        mark(page)
        report("at 1:1", task_lengths_ms(page, browser))
        page.keyboard.press("f")
        report("with the marks, at the size of the pane", task_lengths_ms(page, browser))
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(*sys.argv[1:])
    else:
        with demo() as clinic:
            measure(clinic, "reviewer", PASSWORD)

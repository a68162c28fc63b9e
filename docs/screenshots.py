"""Make the screenshots of the README: start the demo, drive it with Chromium, write ``docs/images/*.webp``.

    python -m docs.screenshots                         # with synthetic photographs
    DEMO_PHOTOS=folder python -m docs.screenshots      # with photographs of a folder

Each page is shown in light and in dark colours and takes less than 150 kB. Needs Playwright and an installed Chromium.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect, sync_playwright

from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 150_000
CAPTURE_SIZE: ViewportSize = {"width": 1280, "height": 1200}
READING_SIZE: ViewportSize = {"width": 1440, "height": 900}
START_S, WAIT_MS = 300, 60_000
PASSWORD, API_KEY = "screenshots-only", "drk_screenshots-only"


@contextmanager
def demo() -> Iterator[str]:
    """A demo clinic in a temporary folder; yields its address when all photographs are graded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        own = {"PORT": str(port), "DEMO_DIR": folder, "DEMO_PASSWORD": PASSWORD, "DEMO_API_KEY": API_KEY}
        process = subprocess.Popen([sys.executable, "-m", "screening.demo"], cwd=ROOT, env={**os.environ, **own})
        try:
            wait_for_gradings(address)
            yield address
        finally:
            process.terminate()
            process.wait()


def wait_for_gradings(address: str) -> None:
    """Return when no exam of the new clinic is open but the one for the visitor, and no grading is pending."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        time.sleep(2)
        try:
            n_open = count(address, "exams?status=open&page_size=100")
            n_pending = sum(count(address, f"gradings?status={status}") for status in ("queued", "running"))
        except OSError:
            continue
        if n_open == 1 and n_pending == 0:
            return
    raise TimeoutError("The demo has not graded its photographs.")


def count(address: str, path: str) -> int:
    """Number of results on the first page of a list."""
    request = urllib.request.Request(f"{address}/api/v1/{path}", headers={"Authorization": f"Bearer {API_KEY}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return len(json.load(response)["results"])


def log_in(browser: Browser, address: str, username: str, scheme: str, size: ViewportSize) -> Page:
    """The first page after the log-in, in light or dark colours."""
    context = browser.new_context(base_url=address, viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    page.get_by_role("button", name="I understand").click()
    expect(page.get_by_role("button", name="I understand")).to_have_count(0)
    return page


def photo(name: str, grade: int, eye: str, *, blur_px: float = 0.0) -> FilePayload:
    """A synthetic photograph as a file that a user chooses."""
    file = BytesIO()
    drawing = drawing_for_grade(ICDRGrade(grade), Laterality(eye), seed=5, faults=Faults(blur_px=blur_px))
    draw_fundus(drawing).save(file, "JPEG", quality=92)
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}


def capture_page(page: Page, *, is_first: bool) -> None:
    """The photographer's page of an exam: one eye is gradable, the other must be photographed again."""
    page.goto("/?state=open")
    page.get_by_role("link", name=re.compile("^Open")).first.click()
    if is_first:
        files = [photo("visit_OD.jpg", 2, "OD"), photo("visit_OS.jpg", 2, "OS", blur_px=30.0)]
        page.get_by_label("Choose photographs").set_input_files(files)
        rows = page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")
        for _ in files:
            rows.first.get_by_role("button", name=re.compile("^Confirm")).click()
        expect(rows).to_have_count(0)
    expect(page.get_by_text("Not gradable", exact=True)).to_be_visible()


def reading_page(page: Page, *, is_first: bool) -> None:
    """The reviewer's page of the second exam of the worklist, after the first reading, with heatmaps."""
    page.get_by_role("link", name=re.compile("^Read")).nth(1).click()
    if is_first:
        for eye, grade in (("Right eye", "2"), ("Left eye", "2")):
            form = page.get_by_role("group", name=re.compile(f"^{eye} O[DS]"))
            form.get_by_role("radiogroup", name="Grade").get_by_role("radio", name=grade).check()
            form.get_by_role("radiogroup", name="Macular oedema").get_by_role("radio", name="None").check()
        page.get_by_role("button", name="Save my reading").click()
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    page.get_by_role("button", name="Heatmap", exact=True).click()


def save(page: Page, name: str) -> None:
    """Write what the window shows, in the best quality that is small enough."""
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    for quality in range(90, 30, -5):
        file = BytesIO()
        image.save(file, "WEBP", quality=quality, method=6)
        if len(file.getvalue()) < MAX_BYTES:
            break
    (IMAGES / f"{name}.webp").write_bytes(file.getvalue())


def main() -> None:
    """Write all screenshots."""
    IMAGES.mkdir(exist_ok=True)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            is_first = scheme == "light"
            page = log_in(browser, address, "photographer", scheme, CAPTURE_SIZE)
            capture_page(page, is_first=is_first)
            save(page, f"capture-{scheme}")
            page = log_in(browser, address, "reviewer", scheme, READING_SIZE)
            reading_page(page, is_first=is_first)
            if scheme == "light":
                page.locator("[data-theme-toggle]").click()
            save(page, f"reading-{scheme}")
        browser.close()


if __name__ == "__main__":
    main()

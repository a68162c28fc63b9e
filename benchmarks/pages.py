"""Print bytes, requests and time until usable of the main pages on a slow line with a slow processor.

    python -m benchmarks.pages                                   # starts a demo clinic
    python -m benchmarks.pages https://clinic.example PASSWORD   # an installation with the users of the demo clinic

1.6 Mbit/s, 150 ms for each request, a processor slowed four times, by the DevTools protocol. A page is usable when its
scripts have run (the end of DOMContentLoaded). Each page is opened alone with an empty cache, and in the order of a
person's day, who has the files of the pages before. Photographs are blocked for the times, and counted apart. The
median of some rounds. Needs Playwright and an installed Chromium; over HTTP/1.1, unless a proxy is given.
"""

import os
import platform
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.chromium import PROGRAM
from docs.screenshots import PASSWORD, demo
from ml.metrics.markdown import row_table

N_ROUNDS = 3
SLOWED_TIMES = 4
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.8e6 / 8}
PHOTOGRAPHS = ["*/screen/", "*/thumbnail/", "*/tiles/*"]
SETTLED_MS = 1000
Visits = dict[str, list["Visit"]]


@dataclass
class Visit:
    """One page as the browser received it."""

    usable_ms: float = 0.0
    n_bytes: dict[str, int] = field(default_factory=dict)
    """Bytes on the line of each request that was not answered from the cache, by its id."""
    fonts: set[str] = field(default_factory=set)

    @property
    def kb(self) -> float:
        return sum(self.n_bytes.values()) / 1000

    @property
    def kb_of_fonts(self) -> float:
        return sum(self.n_bytes[font] for font in self.fonts if font in self.n_bytes) / 1000


def measure(context: BrowserContext, path: str, *, photographs: bool = False) -> tuple[Visit, Page]:
    """Open a page on the slow line, with or without its photographs."""
    page, visit = context.new_page(), Visit()
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED_TIMES})
    protocol.send("Network.emulateNetworkConditions", LINE)
    protocol.send("Network.setBlockedURLs", {"urls": [] if photographs else PHOTOGRAPHS})

    def received(event: dict[str, Any]) -> None:
        if event["type"] == "Font":
            visit.fonts.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["encodedDataLength"]:
            visit.n_bytes[event["requestId"]] = int(event["encodedDataLength"])

    protocol.on("Network.responseReceived", received)
    protocol.on("Network.loadingFinished", finished)
    page.goto(path, wait_until="load")
    page.wait_for_timeout(SETTLED_MS)
    visit.usable_ms = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    protocol.detach()  # what the page does from here on does not count
    return visit, page


@contextmanager
def profile(browser: Browser, address: str, user: str = "", password: str = "") -> Iterator[BrowserContext]:
    """A profile with an empty cache, logged in if a user is given."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}, ignore_https_errors=True)
    if user:
        page = context.new_page()
        log_in(page, user, password)
        state = context.storage_state()
        context.close()
        context = browser.new_context(
            base_url=address, viewport={"width": 1440, "height": 900}, ignore_https_errors=True, storage_state=state
        )
    yield context
    context.close()


def log_in(page: Page, user: str, password: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


def paths(browser: Browser, address: str, password: str) -> dict[str, tuple[str, str]]:
    """User and path of each page."""
    found = {"worklist": ("reviewer", "/")}
    for name, user, pattern in (
        ("reading page", "reviewer", r'href="(/exams/[^"]*/review/)"'),
        ("capture page", "photographer", r'href="(/exams/[0-9a-f-]{36}/)"'),
    ):
        with profile(browser, address, user, password) as context:
            _, page = measure(context, "/")
            match = re.search(pattern, page.content())
            if match is None:
                raise SystemExit(f"The worklist of {user} has no exam. Start a new demo clinic.")
            found[name] = (user, match.group(1))
    return found


def one_round(browser: Browser, address: str, password: str, pages: dict[str, tuple[str, str]], visits: Visits) -> None:
    """Each page alone, then in order: log-in, worklist, page of an exam, and that page again."""
    for name, (user, path) in pages.items():
        with profile(browser, address, user, password) as context:
            visits.setdefault(f"{name}, empty cache", []).append(measure(context, path)[0])
    with profile(browser, address) as context:
        visit, page = measure(context, "/login/")
        visits.setdefault("log-in page, empty cache", []).append(visit)
        log_in(page, "reviewer", password)
        for name in ("worklist", "reading page"):
            visits.setdefault(f"{name}, after the pages before", []).append(measure(context, pages[name][1])[0])
        for name in ("worklist", "reading page"):
            visits.setdefault(f"{name}, again", []).append(measure(context, pages[name][1])[0])
    for name, (user, path) in pages.items():
        with profile(browser, address, user, password) as context:
            visits.setdefault(f"{name}, with photographs", []).append(measure(context, path, photographs=True)[0])


def table(visits: Visits) -> str:
    """Medians in Markdown."""

    def median(values: list[float]) -> float:
        return statistics.median(values)

    return row_table(
        [
            {
                "page": name,
                "requests": f"{median([len(each.n_bytes) for each in rounds]):.0f}",
                "kB": f"{median([each.kb for each in rounds]):.0f}",
                "of which typeface, kB": f"{median([each.kb_of_fonts for each in rounds]):.0f}",
                "usable after, s": f"{median([each.usable_ms for each in rounds]) / 1000:.2f}",
            }
            for name, rounds in visits.items()
        ]
    )


def run(address: str, password: str) -> None:
    visits: Visits = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        pages = paths(browser, address, password)
        for _ in range(N_ROUNDS):
            one_round(browser, address, password, pages, visits)
        browser.close()
    sys.stdout.write(
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n\n{table(visits)}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run(sys.argv[1], sys.argv[2])
    else:
        with demo() as started:
            run(started, PASSWORD)

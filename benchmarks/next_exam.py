"""Print the time from the key N until the photographs of the next exam are painted, in three ways of loading it.

    python -m benchmarks.next_exam                                             # starts a demo clinic
    python -m benchmarks.next_exam http://localhost:8000 reviewer PASSWORD     # a running demo clinic

*Loaded when opened*: nothing in advance. *Response in advance*: the photographs and the response with the page, as in a
browser that saves energy. *Rendered in advance*: the whole page, as usual.

Each exam is opened from the worklist in Chromium, and released by the log-out at the end. Needs an installed Chromium.
"""

import statistics
import sys
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.chromium import Tab, open_tab
from docs.screenshots import PASSWORD, demo

N_EXAMS = 12
TARGET_MS = 300
LIST = "*/next-exam/photographs/*"


class Way(StrEnum):
    """How much of the next exam is loaded before it is opened."""

    WHEN_OPENED = "loaded when opened"
    RESPONSE = "response in advance"
    RENDERED = "rendered in advance"


# The moments are milliseconds since 1970: the key is pressed in one page, the photographs are painted in the next.
NOTE_KEY = """
document.addEventListener("keydown", () => {
    sessionStorage.setItem("pressedAt", String(performance.timeOrigin + performance.now()));
}, { capture: true })
"""
ARE_PHOTOS_READY = """
location.pathname.endsWith("/review/") && document.readyState === "complete"
    && [...document.querySelectorAll("[data-viewer-photo][src]")].every((photo) => photo.complete)
"""
IS_RULE_SET = 'Boolean(document.querySelector("script[type=speculationrules]"))'
NEXT_PAGE = """
fetch(document.getElementById("next-exam").dataset.prefetchUrl, { headers: { "X-Prefetch": "yes" } })
    .then((response) => response.json()).then((next) => next.page)
"""
# An entry "element" is a photograph with the moment of its first paint.
MEASURE = """
(async () => {
    const photos = document.querySelectorAll("[data-viewer-photo][src]");
    if (location.pathname === "/" && document.readyState === "complete") return { isNoneFree: true };
    if (!photos.length || document.querySelector(".is-in-advance")) return null;
    const painted = await new Promise((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries())).observe({ type: "element", buffered: true });
        setTimeout(() => resolve([]), 1000);
    });
    if (painted.length < photos.length) return null;
    const sources = new Set([...photos].map((photo) => photo.src));
    const requests = performance.getEntriesByType("resource");
    const fromNetwork = requests.filter((one) => sources.has(one.name) && one.transferSize > 0);
    const [page] = performance.getEntriesByType("navigation");
    const lock = requests.find((one) => one.name.endsWith("/lock/"));
    const since = (moment) => performance.timeOrigin + moment - Number(sessionStorage.getItem("pressedAt"));
    return {
        total: since(Math.max(...painted.map((one) => one.renderTime || one.startTime))),
        page: since(page.activationStart || page.responseStart),
        taken: since(lock ? lock.responseEnd : page.activationStart || page.responseStart),
        fromNetwork: page.activationStart ? 0 : fromNetwork.length,
    };
})()
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of an exam, ms after the key: the page begins, the exam is taken, both photographs are painted."""

    page_ms: float
    taken_ms: float
    total_ms: float
    n_from_network: int


def log_in(tab: Tab, address: str, user: str, password: str) -> None:
    """Open the worklist."""
    tab.open(f"{address}/login/")
    tab.evaluate(
        f"(() => {{ const form = document.querySelector('main form'); form.elements.username.value = '{user}'; "
        f"form.elements.password.value = '{password}'; form.requestSubmit(); }})()"
    )
    tab.wait_for("location.pathname === '/' && document.readyState === 'complete'")


def open_next(tab: Tab, address: str, way: Way) -> Opening | None:
    """Press N on the worklist, and wait for the photographs; None if no exam is free."""
    tab.open(f"{address}/")
    if way is not Way.WHEN_OPENED and not tab.evaluate(NEXT_PAGE):
        return None
    if way is not Way.WHEN_OPENED:
        tab.wait_for(IS_RULE_SET)
    if way is Way.RENDERED:
        tab.wait_for(ARE_PHOTOS_READY, is_in_advance=True)
    tab.wait_for("new Promise((resolve) => setTimeout(() => resolve(true), 1000))")
    tab.evaluate(NOTE_KEY)
    tab.evaluate("window.isLeft = true")
    tab.press("n")
    tab.wait_for("!window.isLeft")
    found = tab.wait_for(MEASURE)
    if "isNoneFree" in found:
        return None
    return Opening(found["page"], found["taken"], found["total"], found["fromNetwork"])


def measure(address: str, user: str, password: str, way: Way) -> list[Opening]:
    """Open up to ``N_EXAMS`` exams; the log-out at the end releases them."""
    openings: list[Opening] = []
    with open_tab(can_prerender=way is Way.RENDERED) as tab:
        if way is Way.WHEN_OPENED:
            tab.command("Network.enable")
            tab.command("Network.setBlockedURLs", urls=[LIST])
        log_in(tab, address, user, password)
        while len(openings) < N_EXAMS and (opening := open_next(tab, address, way)) is not None:
            openings.append(opening)
        tab.evaluate("document.querySelector('[data-log-out]').requestSubmit()")
        tab.wait_for("location.pathname === '/login/'")
    return openings


def report(title: str, openings: list[Opening]) -> None:
    """Print one row of the table."""
    totals = sorted(one.total_ms for one in openings)
    medians = [statistics.median(getattr(one, name) for one in openings) for name in ("page_ms", "taken_ms")]
    n_fast = sum(total < TARGET_MS for total in totals)
    cells = [title, str(len(totals)), *(f"{ms:.0f}" for ms in (*medians, statistics.median(totals), totals[-1]))]
    cells += [str(sum(one.n_from_network for one in openings)), f"{n_fast} of {len(totals)}"]
    print(f"| {' | '.join(cells)} |", flush=True)


def print_table(address: str, user: str, password: str) -> None:
    """Measure each way and print the table. The first round, not printed, makes the copies of the photographs."""
    print("Milliseconds after the key N; medians, and the longest.\n")
    print(
        "| next exam | exams | page begins | exam taken | photographs painted | longest | photographs from the network "
        f"| under {TARGET_MS} ms |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    measure(address, user, password, Way.WHEN_OPENED)
    for way in Way:
        report(way, measure(address, user, password, way))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print_table(*sys.argv[1:])
    else:
        with demo() as clinic:
            print_table(clinic, "reviewer", PASSWORD)

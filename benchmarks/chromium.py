"""Chromium, driven through its DevTools protocol: unlike Playwright, it renders pages in advance (speculation rules).

A page that is rendered in advance is a second page of its tab, until it is displayed. DevTools must be attached to the
tab: attached to a page, as Playwright is, it switches that off (``can_prerender=False``).
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FIRST_FREE_FD = 10  # the browser reads commands from 3 and writes to 4
POLL_S, WAIT_S = 0.05, 30.0


class ChromiumError(Exception):
    """The browser refused a command, or a page did not do in time what was expected."""


class Tab:
    """The only tab of a browser, and the pages in it."""

    def __init__(self, commands: int, answers: int, *, can_prerender: bool) -> None:
        self._commands, self._answers = os.fdopen(commands, "wb", 0), answers
        self._unread, self._n_sent = b"", 0
        self.pages: list[str] = []  # the sessions of the pages: displayed, and rendered in advance
        kind = "tab" if can_prerender else "page"
        targets = self._send("Target.getTargets", filter=[{}])["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == kind)
        self._attach(target, can_prerender=can_prerender)

    def _attach(self, target: str, *, can_prerender: bool) -> None:
        session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        if can_prerender:
            self.pages.clear()  # of the event about the tab
            options = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}
            self._send("Target.setAutoAttach", session, **options)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            if not select.select([self._answers], [], [], WAIT_S)[0]:
                raise TimeoutError("The browser does not answer.")
            if not (received := os.read(self._answers, 1 << 16)):
                raise ChromiumError("The browser has ended.")
            self._unread += received
        message, self._unread = self._unread.split(b"\0", 1)
        return dict(json.loads(message))

    def _send(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        self._n_sent += 1
        address = {"sessionId": session} if session else {}
        message = {"id": self._n_sent, "method": method, "params": values, **address}
        self._commands.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._n_sent:
            self._note(answer)
            if (
                session
                and answer.get("method") == "Target.detachedFromTarget"
                and answer["params"]["sessionId"] == session
            ):
                raise ChromiumError(f"{method}: the page was closed.")
        if "error" in answer:
            raise ChromiumError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def _note(self, event: dict[str, Any]) -> None:
        session = event.get("params", {}).get("sessionId", "")
        if event.get("method") == "Target.attachedToTarget":
            self.pages.append(session)
        elif event.get("method") == "Target.detachedFromTarget" and session in self.pages:
            self.pages.remove(session)

    def _evaluate(self, page: str, script: str) -> Any:
        answer = self._send("Runtime.evaluate", page, expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise ChromiumError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    def _pages(self, *, are_displayed: bool) -> list[str]:
        found = []
        for page in list(self.pages):
            with suppress(ChromiumError):  # the page was replaced meanwhile
                if self._evaluate(page, "document.prerendering") is not are_displayed:
                    found.append(page)
        return found

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the displayed page."""
        for page in self._pages(are_displayed=True):
            return self._evaluate(page, script)
        raise ChromiumError("The tab has no page.")

    def is_true_in_advance(self, script: str) -> bool:
        """Whether an expression is true in a page that is rendered in advance."""
        return any(self._evaluate(page, script) for page in self._pages(are_displayed=False))

    def command(self, method: str, **values: Any) -> None:
        """Run a command of the protocol in the displayed page."""
        for page in self._pages(are_displayed=True):
            self._send(method, page, **values)

    def press(self, key: str) -> None:
        """Press a letter key."""
        code = {"key": key, "code": f"Key{key.upper()}", "windowsVirtualKeyCode": ord(key.upper())}
        self.command("Input.dispatchKeyEvent", type="keyDown", text=key, **code)

    def wait_for(self, script: str, *, is_in_advance: bool = False) -> Any:
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with suppress(ChromiumError):  # a page was being replaced
                if found := self.is_true_in_advance(script) if is_in_advance else self.evaluate(script):
                    return found
            time.sleep(POLL_S)
        raise ChromiumError(f"Not true in {WAIT_S:.0f} s: {script}")

    def open(self, address: str) -> None:
        """Open an address, and wait until it is loaded."""
        self.evaluate("window.isLeft = true")
        self.command("Page.navigate", url=address)
        self.wait_for("!window.isLeft && document.readyState === 'complete'")


@contextmanager
def open_tab(*, can_prerender: bool = True) -> Iterator[Tab]:
    """A tab of a new browser with an empty profile."""
    if PROGRAM is None:
        raise ChromiumError("No Chromium is installed.")
    (read_commands, write_commands), (read_answers, write_answers) = os.pipe(), os.pipe()
    descriptors = [fcntl.fcntl(one, fcntl.F_DUPFD, FIRST_FREE_FD) for one in (read_commands, write_answers)]

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            PROGRAM,
            *ARGUMENTS,
            "--window-size=1440,900",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
        ]
        shell = 'exec "$@" 3<&' + f"{descriptors[0]} 4>&{descriptors[1]}"
        process = subprocess.Popen(  # noqa: S603
            ["/bin/bash", "-c", shell, "bash", *command, "about:blank"], pass_fds=descriptors, stderr=subprocess.DEVNULL
        )
        for one in (read_commands, write_answers, *descriptors):
            os.close(one)
        try:
            yield Tab(write_commands, read_answers, can_prerender=can_prerender)
        finally:
            process.terminate()
            process.wait()
            os.close(read_answers)

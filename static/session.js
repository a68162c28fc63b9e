// The warning before a session ends, with a button to stay logged in (WCAG 2.2, 2.2.1). Other tabs and requests extend
// the session too, so the server is asked before the warning is shown. Asking is no activity. A page with entries
// (form[data-entries]) stays usable: after a log-in in another tab the dialog closes.
"use strict";

(() => {
  const CHECK_MS = 1000;
  const ANSWER_MS = 20000;
  const dialog = document.getElementById("session-warning");
  if (!dialog) return;
  const { statusUrl, extendUrl } = dialog.dataset;
  const warnMs = Number(dialog.dataset.warnSeconds) * 1000;
  const find = (name) => dialog.querySelector(`[data-session="${name}"]`);

  let end = 0;
  let isExtendable = true;
  let isOver = false;
  let nAsking = 0; // requests without an answer yet
  let nAsked = 0;
  let newest = 0; // the request whose answer counts: an earlier one may be answered later
  let askedAt = 0;
  const hasEntries = Boolean(document.querySelector("form[data-entries]"));

  function setEnd(answer) {
    end = Date.now() + Number(answer.seconds_left) * 1000;
    isExtendable = answer.is_extendable;
  }

  async function ask(url, options = {}) {
    nAsking += 1;
    nAsked += 1;
    const number = nAsked;
    askedAt = Date.now();
    try {
      const signal = AbortSignal.timeout?.(ANSWER_MS); // an older browser waits for longer
      const response = await fetch(url, { ...options, signal, headers: { Accept: "application/json" } });
      const answer = response.ok ? await response.json() : null;
      if (number < newest) return response.ok;
      newest = number;
      if (response.status === 401) isOver = true;
      if (answer) {
        isOver = answer.account !== dialog.dataset.account; // another user logged in
        setEnd(answer);
      }
      return response.ok;
    } catch {
      return false; // the server does not answer: the page itself says so
    } finally {
      nAsking -= 1;
    }
  }

  function render() {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    find("left").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    find("warning").hidden = isOver || !isExtendable;
    find("shift").hidden = isOver || isExtendable;
    find("time").hidden = isOver;
    find("over").hidden = !isOver || hasEntries;
    find("entries").hidden = !isOver || !hasEntries;
    find("stay").hidden = isOver || !isExtendable;
    find("close").hidden = isOver || isExtendable;
    find("log-in").hidden = !isOver;
    if (!dialog.open) {
      dialog.showModal();
      [find("stay"), find("close"), find("log-in")].find((control) => !control.hidden)?.focus();
    }
  }

  let isShiftSeen = false;
  async function check() {
    if (isOver || nAsking || Date.now() < end - warnMs) return;
    const isFresh = Date.now() - askedAt < (dialog.open ? 10000 : 1000);
    if (!isFresh) await ask(statusUrl);
    if (isOver) render();
    else if (Date.now() < end - warnMs) dialog.close();
    else if (isExtendable || !isShiftSeen) render();
  }

  find("stay").addEventListener("click", async () => {
    const isDone = await ask(extendUrl, { method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken: window.csrfToken() }) });
    find("failed").hidden = isDone || isOver;
    if (isOver) render();
    else if (isDone) dialog.close();
  });
  find("close").addEventListener("click", () => {
    isShiftSeen = true;
    dialog.close();
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  find("log-in").target = hasEntries ? "_blank" : "";
  find("log-in").href = `${dialog.dataset.loginUrl}?next=${encodeURIComponent(location.pathname)}`;

  setEnd({ seconds_left: dialog.dataset.secondsLeft, is_extendable: dialog.dataset.isExtendable === "yes" });
  askedAt = Date.now();
  document.addEventListener("visibilitychange", async () => {
    if (!isOver || document.hidden) return check();
    await ask(statusUrl);
    if (!isOver) dialog.close();
  });

  // Before a form is sent: "open", "over" (the dialog says so), or "silent" if the server does not answer.
  window.askSession = async () => {
    const isAnswered = await ask(statusUrl);
    if (isOver) render();
    if (isOver) return "over";
    return isAnswered ? "open" : "silent";
  };
  setInterval(check, CHECK_MS);
})();

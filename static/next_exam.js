// The button and the key N of the next exam; its photographs are loaded in advance, and its page is rendered in advance.
// The photographs are in the browser's private cache for ten minutes, the page in memory until this one is left.
// Worklist and review page.
"use strict";

window.nextExam = (() => {
  const KEYS_OFF = "reading-keys-off";
  const FILTERS = "worklist-filters"; // of the list that this tab showed last: the next exam is one of them
  const REQUESTED = "next-exam"; // address of the exam that the button opens
  const FIRST_MS = 1500; // after the photographs of this page
  const AGAIN_MS = 4 * 60 * 1000; // browsers keep the page for five minutes; meanwhile another exam may be the next one
  const IN_ADVANCE = { "X-Prefetch": "yes" };

  const OPENED = "opened-exam"; // the exam that this tab has taken, for the page that is displayed next
  let next = null; // addresses of the page that is loaded in advance, and what opens it
  let isOpening = false;

  const form = () => document.getElementById("next-exam");
  const list = () => document.getElementById("worklist");
  const query = () => list()?.dataset.query ?? sessionStorage.getItem(FILTERS) ?? "";
  const isFiltered = () => [...new URLSearchParams(query()).keys()].some((name) => name !== "state" && name !== "sort");
  const isTyping = (node) => node.closest("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])");

  // Read to its end: otherwise the browser does not keep it.
  async function load(url) {
    const photo = await fetch(url, { priority: "low", headers: IN_ADVANCE });
    await photo.blob();
  }

  // The browser renders the page in a hidden tab, for one use from this page, although it is not to be stored. If it cannot,
  // such as to save energy, it keeps the response.
  function loadPage(found) {
    document.querySelector("script[type=speculationrules]")?.remove();
    next = null;
    if (!found.page || !HTMLScriptElement.supports?.("speculationrules")) return;
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.textContent = JSON.stringify({ prerender: [{ urls: [found.page], eagerness: "immediate" }] });
    document.head.append(rules);
    next = found;
  }

  // Without JavaScript, the next exam is one of all.
  function useFilters() {
    if (list()) sessionStorage.setItem(FILTERS, query());
    if (!form()) return;
    form().setAttribute("action", `${form().getAttribute("action").split("?")[0]}?${query()}`);
    for (const button of document.querySelectorAll("[data-next-exam]")) {
      button.title = isFiltered() ? form().dataset.filtered : "";
    }
  }

  async function prefetch() {
    if (document.hidden || !form() || navigator.connection?.saveData) return;
    const asked = query();
    try {
      const options = { priority: "low", headers: { Accept: "application/json", ...IN_ADVANCE } };
      const answer = await fetch(`${form().dataset.prefetchUrl}?${asked}`, options);
      if (!answer.ok) return;
      const found = await answer.json();
      await Promise.all(found.photos.map(load));
      if (asked === query()) loadPage({ ...found, query: asked });
    } catch {
      // without a connection the next exam is loaded when it is opened
    }
  }

  // The exam is taken before its page is displayed: the server has nothing else to do, and the page is painted once.
  // Without an answer the page is displayed, and tries itself (exam_opening.js).
  async function open({ page, lock, opening }) {
    if (isOpening) return;
    isOpening = true;
    sessionStorage.setItem(REQUESTED, page);
    const body = new URLSearchParams({ ...opening, shown: "yes", is_next: "yes", csrfmiddlewaretoken: window.csrfToken() });
    const code = await fetch(lock, { method: "POST", body, headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : { code: "failed" }), () => ({ code: "failed" }))
      .then((answer) => answer.code);
    if (code === "taken") {
      form().submit();
      return;
    }
    if (!code) sessionStorage.setItem(OPENED, JSON.stringify({ ...opening, page, at: Date.now() }));
    window.location.assign(page);
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-next-exam]")) return;
    useFilters();
    if (next?.query !== query()) return;
    event.preventDefault();
    open(next);
  });
  window.whenPageStays(() => { isOpening = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "n" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || localStorage.getItem(KEYS_OFF) === "yes" || document.querySelector("dialog[open]")) return;
    const button = document.querySelector("[data-next-exam]");
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  document.addEventListener("htmx:afterSettle", () => {
    useFilters();
    if (list() && next?.query !== query()) prefetch();
  });

  // A page that is rendered in advance loads nothing in advance until it is displayed.
  function begin() {
    useFilters();
    setTimeout(prefetch, FIRST_MS);
    setInterval(prefetch, AGAIN_MS);
  }
  window.addEventListener("load", () => {
    if (document.prerendering) document.addEventListener("prerenderingchange", begin, { once: true });
    else begin();
  });

  return {
    /** Whether the button opened this exam. */
    wasRequested: () => sessionStorage.getItem(REQUESTED) === window.location.pathname,
    /** Take the exam that is the next free one now. */
    take: () => {
      useFilters();
      form().submit();
    },
  };
})();

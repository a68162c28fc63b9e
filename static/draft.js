// The draft of a reading: saved on the server while it is entered, nothing in the browser's storage. Also asks whether a
// colleague signed meanwhile. Needs page.js, which keeps the CSRF token of the forms.
"use strict";

(() => {
  const TYPING_MS = 700;
  const NEWS_MS = 10000;
  const ACTIVITY_MS = 60000;
  const TIMEOUT_MS = 15000;
  const RETRY_MS = [2000, 4000, 8000, 15000];

  let isDirty = false; // entries on the page that no save has taken
  let isSending = false;
  let saving = null; // AbortController of the newest save
  let isOlder = false; // there is a newer draft: who leaves this page loses its entries
  let isStopped = false; // a newer draft, a signature, or the form is being sent
  let isSent = false; // the form was sent, and another page is expected
  let isKept = false; // the server keeps the entries until the log-in
  let isActive = false; // pointer or keys were used since the exam was last kept
  let nFailures = 0;
  let epoch = 0; // answers to requests of an earlier panel, or of before the form was sent, are ignored
  let timer = 0;

  const form = () => document.querySelector("[data-draft-form]");
  const state = () => document.querySelector("[data-draft-state]");
  const field = (name) => form().elements.namedItem(name);

  function show(kind, { detail = "", isSpoken = false, logIn = false } = {}) {
    const line = state();
    if (!line) return;
    const text = [line.dataset[kind], detail].filter(Boolean).join(" ");
    line.dataset.kind = kind;
    line.querySelector("[data-draft-text]").textContent = text;
    line.querySelector("[data-draft-live]").textContent = isSpoken ? text : "";
    line.querySelector("a")?.remove();
    if (logIn) {
      const link = document.createElement("a");
      link.href = line.dataset.loginUrl;
      link.textContent = line.dataset.logIn;
      line.append(" ", link);
    }
  }

  // Notices that end: the draft is the newest again, the colleague has released the exam.
  const PASSING = new Set(["newer_draft", "taken"]);

  function showNotice({ code, notice }) {
    const box = document.querySelector("[data-reading-notice]");
    const shown = box?.querySelector("[data-notice]")?.dataset.notice || "";
    if (!box || shown === code || (!code && !PASSING.has(shown))) return;
    box.innerHTML = notice;
  }

  function schedule(ms) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  function onEntry(event) {
    const control = event.target;
    if (!control.name || isStopped || !control.closest("[data-draft-form]")) return;
    isDirty = true;
    isKept = false;
    if (state()?.dataset.kind !== "offline") show("unsaved");
    schedule(control.type === "radio" ? 0 : TYPING_MS);
  }

  async function save({ isForced = false, isLeaving = false } = {}) {
    clearTimeout(timer);
    if ((isSending && !isLeaving) || isStopped || !state() || (!isDirty && !isForced)) return;
    const body = new FormData(form());
    body.set("csrfmiddlewaretoken", window.csrfToken());
    if (isForced) body.set("keep", "yes");
    const atStart = epoch;
    isDirty = false;
    isSending = true;
    saving = new AbortController();
    const answer = await request(state().dataset.url, { method: "POST", body, keepalive: true }, saving);
    isSending = false;
    if (atStart !== epoch) return;
    finish(answer);
    if (isDirty && !isStopped && !nFailures) schedule(0);
  }

  // {status: 0} if there is no answer.
  async function request(url, options = {}, limit = new AbortController()) {
    const timeout = setTimeout(() => limit.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(url, { ...options, signal: limit.signal, headers: { Accept: "application/json" } });
      const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
      return { status: response.status, json: isJson ? await response.json() : {} };
    } catch {
      return { status: 0, json: {} };
    } finally {
      clearTimeout(timeout);
    }
  }

  function finish({ status, json }) {
    const hasFailed = nFailures > 0;
    if (json.version && status === 200) field("draft_version").value = json.version;
    if (status === 200) {
      nFailures = 0;
      if (isDirty) show("unsaved");
      else show("saved", { detail: json.time, isSpoken: hasFailed });
      showNotice(json);
    } else if (status === 409) {
      nFailures = 0;
      stopAsOlder(json.code === "newer_draft");
      showNotice(json);
    } else if (status === 401) {
      isDirty = true;
      isKept = Boolean(json.is_kept);
      nFailures = 1; // tried again when the page is visible again, or something is entered
      show("loggedOut", { isSpoken: !hasFailed, logIn: true });
    } else if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      isDirty = true;
      nFailures = 1;
      show("refused", { detail: json.message || document.body.dataset.failed, isSpoken: !hasFailed });
    } else {
      isDirty = true;
      show("offline", { isSpoken: !hasFailed });
      schedule(RETRY_MS[Math.min(nFailures, RETRY_MS.length - 1)]);
      nFailures += 1;
    }
  }

  // The form is being sent, with all entries: a save that is under way could reach the server after it, as an older draft.
  function stopForForm() {
    clearTimeout(timer);
    isStopped = true;
    if (!isSending) return;
    isDirty = true;
    epoch += 1;
    saving.abort();
  }

  function stopAsOlder(isAsked) {
    isOlder = isAsked;
    isStopped = true;
    isDirty = true;
    show("conflict", { isSpoken: true });
  }

  const ofPage = () => Object.fromEntries(["base_review", "draft_version", "page_version", "stage"].map((name) => [name, field(name).value]));

  async function askForNews() {
    if (document.hidden || isStopped || isSending || !state()?.dataset.statusUrl) return;
    const atStart = epoch;
    const asked = ofPage();
    const { status, json } = await request(`${state().dataset.statusUrl}?${new URLSearchParams(asked)}`);
    if (status !== 200 || atStart !== epoch || isStopped) return;
    const isOld = isSending || isDirty || asked.draft_version !== field("draft_version").value;
    if (json.code !== "newer_draft" || !isOld) showNotice(json);
  }

  // While its reader is active, the exam is kept for longer.
  async function keepExam() {
    const url = state()?.dataset.lockUrl;
    if (!isActive || !url || document.hidden || isStopped) return;
    isActive = false;
    const atStart = epoch;
    const body = new URLSearchParams({ ...ofPage(), csrfmiddlewaretoken: window.csrfToken() });
    const { status, json } = await request(url, { method: "POST", body });
    if (status === 200 && atStart === epoch) showNotice(json);
  }

  // Entries are sent before the page is left, also while a save is under way, and tried again when it comes back.
  const LEAVING = new Set(["pagehide", "beforeunload"]);
  const saveNow = (event) => { if (isDirty) save({ isLeaving: document.hidden || LEAVING.has(event?.type) }); };

  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    document.addEventListener(kind, () => { isActive = true; }, { passive: true });
  }
  document.addEventListener("input", onEntry);
  document.addEventListener("change", onEntry);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-draft-leave]")) {
      isOlder = false;
      isStopped = true;
    }
    if (!event.target.closest("[data-draft-keep]")) return;
    isOlder = isStopped = false;
    document.querySelector("[data-reading-notice]").replaceChildren();
    save({ isForced: true });
  });
  document.addEventListener("visibilitychange", () => {
    saveNow();
    askForNews();
  });
  window.addEventListener("online", saveNow);
  window.addEventListener("pagehide", saveNow);
  window.addEventListener("beforeunload", (event) => {
    const isUnsaved = isDirty && nFailures > 0 && !isKept && !isStopped;
    saveNow(event);
    if (isUnsaved || isOlder) event.preventDefault(); // the browser asks whether to leave the page
  });
  // While the form is sent, its entries are not saved as a draft too.
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    isOlder = false;
    isSent = true;
    stopForForm();
  });
  window.whenPageStays(() => {
    if (!isSent) return;
    isSent = isStopped = false;
    saveNow();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target.id === "reading-panel") stopForForm();
  });
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(kind, (event) => {
      if (event.detail.target?.id !== "reading-panel") return;
      isStopped = false;
      saveNow();
    });
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "reading-panel") return;
    epoch += 1;
    nFailures = 0;
    isDirty = isStopped = isKept = isOlder = false;
    begin();
  });
  // A form that was sent back because of a newer draft.
  function begin() {
    if (document.querySelector('[data-notice="newer_draft"]')) stopAsOlder(true);
  }
  begin();
  setInterval(askForNews, NEWS_MS);
  setInterval(keepExam, ACTIVITY_MS);
})();

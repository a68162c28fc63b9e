// The arrangement of the reading page: views, one eye on the full screen, side panel, strip. The server remembers it.
// Needs viewer.js and page.js (the CSRF token).
"use strict";

(() => {
  const VIEWS = ["eyes", "visits", "fields"];
  const KEYS_OFF = "reading-keys-off";
  const SAVE_MS = 400;

  let isOne = false; // one eye on the full screen
  let isFlickered = false; // the photograph before, in the place of the one of this visit
  let timer = 0; // of a change that is not sent yet

  const frame = () => document.querySelector("[data-layout]");
  const view = () => VIEWS.find((name) => frame().classList.contains(`view-${name}`));
  const selectedEye = () => window.viewer.selectedPane()?.laterality || "OD";
  const photosOf = (eye) => [...document.querySelectorAll(`[data-viewer-show][data-laterality="${eye}"]`)];
  const secondPane = (eye) => window.viewer.panes.find((pane) => pane.isSecond && pane.laterality === eye);
  const firstPane = (eye) => window.viewer.panes.find((pane) => !pane.isSecond && pane.laterality === eye);

  function announce(text) {
    document.querySelector("[data-layout-live]").textContent = text;
  }

  function save() {
    clearTimeout(timer);
    timer = setTimeout(send, SAVE_MS);
  }

  async function send() {
    timer = 0;
    const body = new FormData();
    body.set("csrfmiddlewaretoken", window.csrfToken());
    body.set("view", view());
    if (!frame().classList.contains("is-panel-hidden")) body.set("shows_panel", "on");
    if (!frame().classList.contains("is-strip-hidden")) body.set("shows_strip", "on");
    const response = await fetch(frame().dataset.url, { method: "POST", body, keepalive: true }).catch(() => null);
    if (!response?.ok) announce(frame().dataset.notSaved);
  }

  // The second pane of an eye shows the visit before, or another field than the first pane.
  function fillSecond(eye) {
    const second = secondPane(eye);
    if (!second) return;
    const isVisits = view() === "visits";
    const shown = photosOf(eye).find((one) => one.dataset.photoId === firstPane(eye).photoId);
    const choice = photosOf(eye).find((one) => (
      isVisits
        ? "previous" in one.dataset
        : !("previous" in one.dataset) && one !== shown && one.dataset.field !== shown?.dataset.field
    ));
    if (choice) second.show(choice);
    else second.showEmpty(isVisits ? frame().dataset.noPrevious : frame().dataset.noOtherField);
  }

  function render() {
    const box = frame();
    if (!box) return;
    const eye = selectedEye();
    if (view() !== "visits") isFlickered = false;
    box.classList.toggle("is-one", isOne);
    box.classList.toggle("is-flickered", isFlickered);
    for (const name of ["OD", "OS"]) box.classList.toggle(`is-eye-${name}`, eye === name);
    if (view() !== "eyes") ["OD", "OS"].forEach(fillSecond);
    for (const button of document.querySelectorAll("[data-layout-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.layoutView === view()));
    }
    press("one", isOne);
    press("flicker", isFlickered);
    press("strip", !box.classList.contains("is-strip-hidden"));
    press("panel", !box.classList.contains("is-panel-hidden"));
    const shown = new Set(window.viewer.panes.map((pane) => pane.photoId));
    for (const one of document.querySelectorAll("[data-viewer-show]")) {
      one.setAttribute("aria-pressed", String(shown.has(one.dataset.photoId)));
    }
    window.viewer.schedule();
  }

  function press(action, isOn) {
    document.querySelector(`[data-layout-do="${action}"]`)?.setAttribute("aria-pressed", String(isOn));
  }

  function setView(name) {
    for (const each of VIEWS) frame().classList.toggle(`view-${each}`, each === name);
    for (const pane of window.viewer.panes) pane.fit();
    save();
  }

  function toggle(name) {
    frame().classList.toggle(name);
    save();
  }

  const ACTIONS = {
    one: () => { isOne = !isOne; },
    flicker: () => {
      if (view() !== "visits") setView("visits");
      isFlickered = !isFlickered;
    },
    "next-view": () => setView(VIEWS[(VIEWS.indexOf(view()) + 1) % VIEWS.length]),
    strip: () => toggle("is-strip-hidden"),
    panel: () => toggle("is-panel-hidden"),
  };

  function run(action) {
    if (!frame()) return;
    ACTIONS[action]();
    render();
  }

  function showPhoto(button) {
    const eye = button.dataset.laterality;
    const isSecond = "previous" in button.dataset && view() === "visits";
    const pane = (isSecond && secondPane(eye)) || firstPane(eye);
    pane.show(button);
    render();
  }

  // What is about to be signed is in view: the save key shows the side panel.
  function showPanel() {
    isOne = false;
    frame().classList.remove("is-panel-hidden");
    render();
  }

  const KEYS = { x: "one", v: "next-view", b: "flicker", p: "panel", t: "strip" };

  function onKey(event) {
    if (!frame() || localStorage.getItem(KEYS_OFF) === "yes" || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])")) return;
    const key = event.key.toLowerCase();
    if (key === "s") showPanel();
    if (key === "escape" && isOne) run("one");
    if (!KEYS[key]) return;
    run(KEYS[key]);
    event.preventDefault();
  }

  document.addEventListener("click", (event) => {
    const viewButton = event.target.closest("[data-layout-view]");
    if (viewButton) {
      setView(viewButton.dataset.layoutView);
      render();
    }
    const button = event.target.closest("[data-layout-do]");
    if (button) run(button.dataset.layoutDo);
    const choice = event.target.closest("[data-viewer-show]");
    if (choice) showPhoto(choice);
  });
  window.addEventListener("pagehide", () => {
    clearTimeout(timer);
    if (timer) send();
  });
  document.addEventListener("keydown", onKey, { capture: true });
  // The selected eye changes by key, click and focus (reading.js): the panes follow it.
  for (const kind of ["keyup", "focusin", "pointerdown"]) document.addEventListener(kind, () => requestAnimationFrame(follow));

  let followed = "";
  function follow() {
    const focused = document.querySelector("[data-viewer-pane].is-focused")?.dataset.laterality || "";
    if (!frame() || focused === followed) return;
    followed = focused;
    for (const name of ["OD", "OS"]) frame().classList.toggle(`is-eye-${name}`, focused === name);
    isFlickered = false;
    render();
  }

  document.addEventListener("DOMContentLoaded", () => {
    follow();
    render();
  });
})();

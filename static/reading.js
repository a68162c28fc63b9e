// Keyboard shortcuts of the review page and of the page for one photograph: one key for each decision. Every key has a
// visible control, and the keys can be switched off (WCAG 2.1.4). Needs viewer.js.
"use strict";

(() => {
  const KEYS_OFF = "reading-keys-off";
  let focused = "OD"; // the eye the grade keys write to

  const eyeForm = (laterality) => document.querySelector(`[data-eye-form="${laterality}"]`);
  const areKeysOn = () => localStorage.getItem(KEYS_OFF) !== "yes";

  function focusEye(laterality) {
    const target = eyeForm(laterality) || document.querySelector(`[data-viewer-pane][data-laterality="${laterality}"]`);
    if (!target) return;
    focused = laterality;
    showFocus();
  }

  // The form of the eye that was selected outside of it, below the notice at the top of the side panel.
  function showForm(laterality) {
    const [form, panel] = [eyeForm(laterality), document.querySelector("#reading-panel > .reading")];
    if (!form || !panel || getComputedStyle(panel).overflowY !== "auto") return; // on a phone the photographs stay in view
    const notice = panel.querySelector("[data-reading-notice]").offsetHeight;
    panel.scrollTop += form.getBoundingClientRect().top - panel.getBoundingClientRect().top - notice;
  }

  function selectEye(laterality) {
    focusEye(laterality);
    showForm(laterality);
  }

  function showFocus() {
    for (const node of document.querySelectorAll("[data-eye-form], [data-viewer-pane]")) {
      node.classList.toggle("is-focused", (node.dataset.eyeForm || node.dataset.laterality) === focused);
    }
    for (const note of document.querySelectorAll("[data-focused-note]")) note.hidden = note.dataset.focusedNote !== focused;
  }

  function choose(value) {
    const box = eyeForm(focused);
    const radio = box && box.querySelector(`[data-key="${value}"] input[name$="-verdict"]`);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function nextAnswer(field) {
    const box = eyeForm(focused);
    const radios = box ? [...box.querySelectorAll(`input[type=radio][name$="-${field}"]`)] : [];
    if (!radios.length) return;
    const next = radios[(radios.findIndex((radio) => radio.checked) + 1) % radios.length];
    next.checked = true;
    next.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // The first press moves the focus to the button, the second one saves.
  function save() {
    const button = document.querySelector("[data-save]");
    if (!button) return;
    if (document.activeElement === button) button.click();
    else button.focus();
  }

  function renderEye(box) {
    const verdict = box.querySelector('input[name$="-verdict"]:checked');
    const absent = box.querySelector("[data-absent-reason]");
    if (absent) absent.hidden = verdict?.value !== "A";
    const reason = box.querySelector("[data-changed-reason]");
    if (reason) {
      const oedema = box.querySelector('input[name$="-macular_oedema"]:checked');
      const isOtherGrade = Boolean(verdict) && verdict.value !== reason.dataset.firstVerdict;
      const isOtherOedema = Boolean(oedema) && verdict?.value !== "U" && oedema.value !== reason.dataset.firstOedema;
      const isChanged = isOtherGrade || isOtherOedema;
      reason.hidden = !isChanged;
      reason.querySelector("input, textarea").required = isChanged;
    }
  }

  function renderAll() {
    document.querySelectorAll("[data-eye-form]").forEach(renderEye);
    const switchBox = document.querySelector("[data-keys-switch]");
    if (switchBox) switchBox.checked = areKeysOn();
    showFocus();
  }

  const isTyping = (node) => node.closest("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])");

  const VIEWER_KEYS = { g: "red-free", f: "fit", z: "actual", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", r: "reset", o: "next-layer", i: "invert", q: "loupe" };

  function onKey(event) {
    if (!document.querySelector("[data-viewer-pane]") || !areKeysOn() || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (/^[0-5]$/.test(key)) choose(key);
    else if (key === "u") choose("U");
    else if (key === "m") { if (!event.repeat) nextAnswer("macular_oedema"); }
    else if (key === "l") { if (!event.repeat) nextAnswer("lesion_laser_scars"); }
    else if (key === "h") window.viewer.holdHeatmap(true);
    else if (key === "s") { if (!event.repeat) save(); }
    else if (key === "d") toggleLesions();
    else if (key === "?") toggleHelp();
    else if (VIEWER_KEYS[key]) window.viewer.run(VIEWER_KEYS[key]);
    else if (!event.target.matches("input") && key === "ArrowLeft") selectEye("OD");
    else if (!event.target.matches("input") && key === "ArrowRight") selectEye("OS");
    else return;
    event.preventDefault();
  }

  function toggleLesions() {
    const lesions = eyeForm(focused)?.querySelector("[data-lesions]");
    if (!lesions) return;
    lesions.open = !lesions.open;
    if (lesions.open) lesions.querySelector("input:not([type=hidden]), select").focus();
  }

  function toggleHelp() {
    const help = document.getElementById("shortcut-help");
    if (help) help.open = !help.open;
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "h") window.viewer.holdHeatmap(false); });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-switch]")) localStorage.setItem(KEYS_OFF, event.target.checked ? "no" : "yes");
    const box = event.target.closest("[data-eye-form]");
    if (box) renderEye(box);
  });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, (event) => {
      const node = event.target.closest("[data-eye-form], [data-viewer-pane]");
      if (node?.dataset.eyeForm) focusEye(node.dataset.eyeForm);
      else if (node) selectEye(node.dataset.laterality);
    });
  }
  document.addEventListener("DOMContentLoaded", renderAll);
  document.addEventListener("htmx:afterSettle", (event) => {
    const panel = event.detail.target;
    if (panel.id === "reading-panel" && eyeForm("OD")) focused = "OD"; // the panel begins with its form
    renderAll();
    if (panel.id !== "reading-panel") return;
    // The focused button was replaced: focus the errors, or the panel with the revealed result.
    const errors = panel.querySelector("[data-error-summary]");
    (errors || panel).focus({ preventScroll: !errors });
  });
})();

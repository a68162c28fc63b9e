// The worklist: rows by key and click, filters that apply at once, low rows, a link to copy. Every key has a visible
// control, and the keys can be switched off (WCAG 2.1.4). Needs page.js (the CSRF token).
"use strict";

(() => {
  const KEYS_OFF = "reading-keys-off"; // the same switch as on the review page
  const SHOWN_MS = 8000;
  let timer = 0;

  const list = () => document.getElementById("worklist");
  const areKeysOn = () => localStorage.getItem(KEYS_OFF) !== "yes";
  const links = () => [...document.querySelectorAll("[data-row-link]")];
  const isTyping = (node) => Boolean(node.closest("textarea, select, input:not([type=checkbox])"));

  // What an action did is shown for some time; what the list contains is in view already, and only read out.
  function state(text, isShown = true) {
    const live = document.getElementById("worklist-live");
    live.textContent = text;
    live.classList.toggle("visually-hidden", !isShown || !text);
    window.clearTimeout(timer);
    if (isShown && text) timer = window.setTimeout(() => state(""), SHOWN_MS);
  }

  // The focus is on the link of the row, so that Enter opens it and screen readers name it.
  function move(step) {
    const all = links();
    if (!all.length) return;
    const current = all.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = current < 0 ? 0 : Math.min(Math.max(current + step, 0), all.length - 1);
    all[next].focus({ preventScroll: true });
    all[next].closest("tr").scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    if (!list() || !areKeysOn() || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "/") document.querySelector("[data-worklist-form] [name=text]").focus();
    else if (key === "?") document.getElementById("shortcut-help").open ^= true;
    else return;
    event.preventDefault();
  }

  // A click on a row is a click on its link: with the keys of the browser for a new tab, and not while text is selected.
  function openRow(event) {
    const row = event.target.closest("[data-worklist-row]");
    if (!row || event.target.closest("a, button, input, label, summary") || String(window.getSelection())) return;
    const { ctrlKey, metaKey, shiftKey } = event;
    row.querySelector("[data-row-link]").dispatchEvent(
      new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }),
    );
  }

  async function toggleDense(button) {
    const isDense = list().classList.toggle("is-dense");
    button.setAttribute("aria-pressed", String(isDense));
    const body = new FormData();
    body.set("csrfmiddlewaretoken", window.csrfToken());
    if (isDense) body.set("is_dense", "on");
    const response = await fetch(button.dataset.denseUrl, { method: "POST", body }).catch(() => null);
    state(response?.ok ? "" : button.dataset.notSaved);
  }

  async function copyLink(button) {
    const address = new URL(button.dataset.copyLink, window.location.origin + window.location.pathname).href;
    const isCopied = await copyText(address);
    state(isCopied ? button.dataset.copied : button.dataset.notCopied);
  }

  // Without HTTPS browsers have no clipboard for pages; the older command works there.
  async function copyText(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    return isCopied;
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const dense = event.target.closest("[data-dense-url]");
    const copy = event.target.closest("[data-copy-link]");
    if (dense) toggleDense(dense);
    else if (copy) copyLink(copy);
    else openRow(event);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-switch]")) localStorage.setItem(KEYS_OFF, event.target.checked ? "no" : "yes");
    else if (event.target.matches("[data-worklist-form] :is(select, [type=checkbox])")) event.target.form.requestSubmit();
  });

  function showSwitch() {
    const box = document.querySelector("[data-keys-switch]");
    if (box) box.checked = areKeysOn();
  }
  document.addEventListener("DOMContentLoaded", showSwitch);
  document.addEventListener("htmx:afterSettle", () => {
    showSwitch();
    state(document.querySelector("[data-worklist-status]")?.textContent.trim() || "", false);
  });
})();

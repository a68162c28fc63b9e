// Every page: failures of a request are said in words, double submits are held back, the reading light is remembered.
"use strict";

(() => {
  const THEME_KEY = "reading-theme";

  function problem(message) {
    const box = document.getElementById("page-problem");
    if (!box) return;
    box.querySelector("p").textContent = message;
    box.hidden = false;
  }

  function clearProblem() {
    const box = document.getElementById("page-problem");
    if (box) box.hidden = true;
  }

  document.addEventListener("htmx:sendError", () => problem(document.body.dataset.offline));
  document.addEventListener("htmx:timeout", () => problem(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", () => problem(document.body.dataset.failed));
  document.addEventListener("htmx:afterOnLoad", clearProblem);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.isSent) {
      event.preventDefault();
      return;
    }
    form.dataset.isSent = "yes";
    window.addEventListener("pageshow", () => delete form.dataset.isSent, { once: true });
  });

  // Only reading pages carry data-theme; they start dark, as reading rooms are.
  const root = document.documentElement;
  if (root.dataset.theme && localStorage.getItem(THEME_KEY)) root.dataset.theme = localStorage.getItem(THEME_KEY);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem(THEME_KEY, root.dataset.theme);
  });

  // Where the page came back with mistakes, the reader starts at their summary.
  document.addEventListener("DOMContentLoaded", () => {
    const summary = document.querySelector("[data-error-summary]");
    if (summary) summary.focus();
  });
})();

// Every page: htmx settings, messages for failed requests, no double submits, light or dark review page.
"use strict";

(() => {
  const THEME_KEY = "reading-theme";

  Object.assign(window.htmx.config, {
    includeIndicatorStyles: false, // the content security policy forbids inline styles
    allowEval: false,
    historyCacheSize: 0, // no page with a patient is stored in the browser
    attributesToSettle: ["class"],
    timeout: 20000,
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "422", swap: true }, // a form with its errors
      { code: "...", swap: false, error: true },
    ],
  });

  // A text with a number, in the plural form that the language of the page has for it. `forms`: JSON of the tag plural_forms.
  // The number has the decimals of the text and the digits of the rest of the page.
  const formats = [0, 1].map((nDecimals) => {
    const { lang } = document.documentElement;
    const options = { minimumFractionDigits: nDecimals, maximumFractionDigits: nDecimals };
    return { rules: new Intl.PluralRules(lang, options), numbers: new Intl.NumberFormat(`${lang}-u-nu-latn`, options) };
  });
  window.pluralText = (forms, number, nDecimals = 0) => {
    const { rules, numbers } = formats[nDecimals];
    const texts = JSON.parse(forms);
    return (texts[rules.select(number)] ?? texts.other).replace("{n}", numbers.format(number));
  };

  function showProblem(message) {
    const box = document.getElementById("page-problem");
    box.textContent = message;
    box.hidden = !message;
    if (message) box.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("htmx:sendError", () => showProblem(document.body.dataset.offline));
  document.addEventListener("htmx:timeout", () => showProblem(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", () => showProblem(document.body.dataset.failed));
  document.addEventListener("htmx:afterOnLoad", () => showProblem(""));

  // A log-in in another tab makes the token of the forms on this page invalid: the cookie has the valid one.
  window.csrfToken = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1]
    || document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
  for (const kind of ["submit", "htmx:confirm"]) {
    document.addEventListener(kind, () => {
      for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = window.csrfToken();
    }, { capture: true });
  }

  // The page is used again: it was left and came back, or the request for the next one was stopped.
  window.whenPageStays = (act) => {
    window.addEventListener("pageshow", (event) => { if (event.persisted) act(); });
    window.navigation?.addEventListener("navigateerror", act);
  };

  const DOWNLOAD_MS = 1000; // longer than a double click
  const release = () => { for (const form of document.forms) delete form.dataset.isSent; };
  window.whenPageStays(release);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.isSent === "asked") {
      form.dataset.isSent = "yes";
      return;
    }
    if (form.dataset.isSent) {
      event.preventDefault();
      return;
    }
    form.dataset.isSent = "yes";
    if ("download" in form.dataset) setTimeout(() => delete form.dataset.isSent, DOWNLOAD_MS); // the page stays
    if (!("entries" in form.dataset) || !window.askSession) return;
    event.preventDefault();
    sendEntries(form, event.submitter);
  });

  // What a person entered (form[data-entries]) is sent only if the server answers and the session is open: else it would
  // be lost with the page.
  async function sendEntries(form, submitter) {
    const state = await window.askSession();
    form.dataset.isSent = "asked";
    if (state === "open") return form.requestSubmit(submitter);
    delete form.dataset.isSent;
    if (state === "silent") showProblem(document.body.dataset.offline);
  }

  // The browser asks before the page is left with entries that were not sent.
  function isChanged(field) {
    if (field.type === "hidden" || !field.name) return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (!field.options) return field.value !== field.defaultValue;
    return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
  }
  function hasEntries(form) {
    return !form.dataset.isSent && (form.dataset.entries === "unsaved" || [...form.elements].some(isChanged));
  }
  window.addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll("form[data-entries]")];
    if (!forms.some(hasEntries)) return;
    event.preventDefault();
    setTimeout(release); // of a person who stays
  });

  // Only the review page has data-theme. It is dark at first, because reading rooms are.
  const root = document.documentElement;
  const theme = localStorage.getItem(THEME_KEY);
  if (root.dataset.theme && theme) root.dataset.theme = theme;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem(THEME_KEY, root.dataset.theme);
  });

  // A message stays until it is closed: one that closed by itself would move the controls below it.
  for (const button of document.querySelectorAll("[data-dismiss]")) {
    const message = button.closest(".message");
    button.hidden = false;
    button.addEventListener("click", () => message.remove());
  }

  // A form that was sent back with errors: the focus moves to their summary.
  document.addEventListener("DOMContentLoaded", () => {
    const summary = document.querySelector("[data-error-summary]");
    if (summary) summary.focus();
  });
})();

// A review page that was loaded or rendered in advance stays hidden until it is opened and the server has taken the exam for
// its reader and recorded the view: at the request of the page before (next_exam.js), else of this one. If a colleague has
// the exam, the page is loaded again: it then shows who; after "next exam" another exam is opened. Needs page.js (the CSRF token)
// and next_exam.js, which runs after it: this is the first script of the page, so that the request runs while the viewer
// begins.
"use strict";

(() => {
  const main = document.querySelector(".is-in-advance");
  const form = document.getElementById("reading-form");
  const OPENED = "opened-exam"; // as in next_exam.js
  const OPENED_MS = 10000;

  // The browser runs the scripts of a page that it renders in advance before a person opens it.
  const isOpened = new Promise((resolve) => {
    if (document.prerendering) document.addEventListener("prerenderingchange", resolve, { once: true });
    else resolve();
  });
  // A deferred script runs before this event.
  const areScriptsRun = new Promise((resolve) => {
    document.addEventListener("DOMContentLoaded", resolve, { once: true });
  });

  const value = (name) => form.elements.namedItem(name).value;

  const userOf = (token) => token.split(":")[0]; // user and exam; then time and signature

  // The page before has taken the exam for this page, as it is, just now.
  function isTaken() {
    const opened = JSON.parse(sessionStorage.getItem(OPENED) || "{}");
    sessionStorage.removeItem(OPENED);
    return opened.page === window.location.pathname && Date.now() - opened.at < OPENED_MS
      && ["page_version", "base_review", "stage"].every((name) => opened[name] === value(name))
      && userOf(opened.form_token) === userOf(value("form_token"));
  }

  async function open() {
    await isOpened;
    if (isTaken()) {
      await areScriptsRun;
      main.classList.remove("is-in-advance");
      return;
    }
    const values = Object.fromEntries(
      ["base_review", "draft_version", "page_version", "stage", "form_token"].map((name) => [name, value(name)]),
    );
    const body = new URLSearchParams({ ...values, shown: "yes", csrfmiddlewaretoken: window.csrfToken() });
    const url = document.querySelector("[data-draft-state]").dataset.lockUrl;
    const code = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : { code: "failed" }), () => ({ code: "failed" }))
      .then((answer) => answer.code);
    await areScriptsRun;
    if (!code) main.classList.remove("is-in-advance");
    else if (code === "taken" && window.nextExam.wasRequested()) window.nextExam.take();
    else window.location.reload();
  }

  if (main) open();
})();

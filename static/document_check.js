// Computes the hash of the chosen file in the browser, so that only the hash is sent. Browsers allow it over HTTPS and on
// localhost; elsewhere the form sends the file.
"use strict";

(() => {
  const form = document.querySelector("[data-document-check]");
  const file = form?.querySelector("[type=file]");
  const sha256 = form?.querySelector("[name=sha256]");
  if (!form || !globalThis.crypto?.subtle) {
    return;
  }
  form.addEventListener("submit", async (event) => {
    const chosen = file.files[0];
    if (!chosen) {
      return;
    }
    event.preventDefault();
    try {
      const digest = await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer());
      sha256.value = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      file.disabled = true;
    } finally {
      form.submit();
    }
  });
  window.addEventListener("pageshow", () => { file.disabled = false; });
})();

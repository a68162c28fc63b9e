// Several photographs at once: a row a file with preview, eye, field, progress, and a message when one is refused.
// Each eye is confirmed by a person before its photograph leaves the browser. Without this file the form still works.
"use strict";

(() => {
  // A guess from the file's name only; it selects the radio button and never uploads by itself.
  const GUESSES = [
    ["OD", /(^|[^a-z])(od|re|right|right[ _-]?eye|r)([^a-z]|$)/],
    ["OS", /(^|[^a-z])(os|le|left|left[ _-]?eye|l)([^a-z]|$)/],
  ];

  function guessLaterality(fileName) {
    const name = fileName.toLowerCase().replace(/\.[a-z0-9]+$/, "");
    const found = GUESSES.filter(([, pattern]) => pattern.test(name));
    return found.length === 1 ? found[0][0] : null; // both words or none: a person must say
  }

  async function paintPreview(canvas, file) {
    try {
      const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", resizeWidth: 192, resizeQuality: "medium" });
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
    } catch {
      canvas.setAttribute("aria-label", canvas.dataset.noPreview);
    canvas.dataset.isBlank = ""; // a TIFF, or no picture at all: the server judges, the row says so if it is refused
    }
  }

  class UploadRow {
    constructor(box, file, number) {
      this.box = box;
      this.file = file;
      this.node = box.template.content.firstElementChild.cloneNode(true);
      this.part = (name) => this.node.querySelector(`[data-row="${name}"]`);
      this.part("name").textContent = file.name;
      this.part("size").textContent = file.size < 1e6 ? `${Math.ceil(file.size / 1e3)} kB` : `${(file.size / 1e6).toFixed(1)} MB`;
      this.radios = [...this.node.querySelectorAll("[name=laterality]")];
      for (const radio of this.radios) radio.name = `laterality-${number}`;
      this.field = this.part("field");
      this.prepareEye();
      this.part("send").addEventListener("click", () => this.send());
      this.part("remove").addEventListener("click", () => this.remove());
      paintPreview(this.part("preview"), file);
    }

    get laterality() {
      const chosen = this.radios.find((radio) => radio.checked);
      return chosen ? chosen.value : null;
    }

    prepareEye() {
      const guess = guessLaterality(this.file.name);
      for (const radio of this.radios) {
        radio.checked = radio.value === guess;
        radio.addEventListener("change", () => this.renderSend());
      }
      this.part("guessed").hidden = !guess;
      this.part("unknown").hidden = Boolean(guess);
      this.renderSend();
    }

    renderSend() {
      const words = this.box.root.dataset;
      const button = this.part("send");
      button.disabled = !this.laterality;
      button.textContent = { OD: words.confirmOd, OS: words.confirmOs }[this.laterality] || words.chooseEye;
    }

    lock(isLocked) {
      for (const control of [...this.radios, this.field, this.part("send"), this.part("remove")]) control.disabled = isLocked;
    }

    send() {
      const form = new FormData();
      form.set("csrfmiddlewaretoken", this.box.token);
      form.set("laterality", this.laterality);
      form.set("field", this.field.value);
      form.set("photo", this.file);
      const request = new XMLHttpRequest();
      const bar = this.part("progress");
      this.lock(true);
      this.node.classList.remove("is-failed");
      this.part("error").textContent = "";
      bar.hidden = false;
      bar.value = 0;
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
      request.addEventListener("load", () => this.finish(request));
      request.addEventListener("error", () => this.fail(this.box.root.dataset.offline));
      request.addEventListener("timeout", () => this.fail(this.box.root.dataset.offline));
      request.timeout = 120000;
      request.open("POST", this.box.form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(form);
    }

    finish(request) {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = {}; // a proxy's page, not ours
      }
      if (request.status >= 200 && request.status < 300 && answer.image) {
        this.box.announce(answer.message);
        this.remove();
        document.body.dispatchEvent(new CustomEvent("photo-uploaded"));
        return;
      }
      this.fail(answer.message || this.box.root.dataset.failed);
    }

    fail(message) {
      this.lock(false);
      this.part("progress").hidden = true;
      this.node.classList.add("is-failed");
      this.part("error").textContent = message;
      this.part("send").textContent = this.box.root.dataset.retry;
      this.part("send").focus();
    }

    remove() {
      const next = this.node.nextElementSibling || this.node.previousElementSibling;
      const target = next ? next.querySelector("button:not([disabled]), input") : this.box.picker;
      const hadFocus = this.node.contains(document.activeElement) || document.activeElement === document.body;
      this.node.remove();
      if (hadFocus && target) target.focus();
    }
  }

  class UploadBox {
    constructor(root) {
      this.root = root;
      this.form = root.querySelector("form");
      this.token = root.querySelector("[name=csrfmiddlewaretoken]").value;
      this.template = root.querySelector("template");
      this.drop = root.querySelector("[data-upload-drop]");
      this.picker = root.querySelector("[data-upload-picker]");
      this.rows = root.querySelector("[data-upload-rows]");
      this.live = root.querySelector("[data-upload-live]");
      this.nRows = 0;
      this.form.hidden = true;
      this.drop.hidden = false;
      this.listen();
    }

    listen() {
      this.picker.addEventListener("change", () => {
        this.add(this.picker.files);
        this.picker.value = "";
      });
      for (const kind of ["dragenter", "dragover"]) {
        this.root.addEventListener(kind, (event) => {
          event.preventDefault();
          this.drop.classList.add("is-over");
        });
      }
      for (const kind of ["dragleave", "drop"]) this.root.addEventListener(kind, () => this.drop.classList.remove("is-over"));
      this.root.addEventListener("drop", (event) => {
        event.preventDefault();
        this.add(event.dataTransfer.files);
      });
      window.addEventListener("beforeunload", (event) => { if (this.rows.children.length) event.preventDefault(); });
    }

    add(files) {
      const rows = [...files].map((file) => new UploadRow(this, file, (this.nRows += 1)));
      this.rows.append(...rows.map((row) => row.node));
      if (rows.length) rows[0].node.querySelector("input:checked, input").focus();
    }

    announce(message) {
      this.live.textContent = message;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-upload]").forEach((root) => new UploadBox(root));
  });
})();

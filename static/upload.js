// Upload of several photographs: one row for each file, with preview, eye, field, progress and error message.
// The user confirms the eye of each photograph before it is uploaded. Without JavaScript the plain form works.
"use strict";

(() => {
  // The file name only preselects the eye; nothing is uploaded without the user.
  const EYE_PATTERNS = [
    ["OD", /(^|[^a-z])(od|re|right|right[ _-]?eye|r)([^a-z]|$)/],
    ["OS", /(^|[^a-z])(os|le|left|left[ _-]?eye|l)([^a-z]|$)/],
  ];

  function guessLaterality(fileName) {
    const name = fileName.toLowerCase().replace(/\.[a-z0-9]+$/, "");
    const found = EYE_PATTERNS.filter(([, pattern]) => pattern.test(name));
    return found.length === 1 ? found[0][0] : null; // both or none: the user chooses
  }

  async function paintPreview(canvas, file) {
    try {
      const options = { imageOrientation: "from-image", resizeWidth: 192, resizeQuality: "medium" };
      const bitmap = await createImageBitmap(file, options);
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
    } catch {
      // A TIFF, or not an image. The server decides.
      canvas.setAttribute("aria-label", canvas.dataset.noPreview);
      canvas.dataset.isBlank = "";
    }
  }

  class UploadRow {
    constructor(box, file, number) {
      this.box = box;
      this.file = file;
      this.node = box.template.content.firstElementChild.cloneNode(true);
      this.find = (name) => this.node.querySelector(`[data-row="${name}"]`);
      this.find("name").textContent = file.name;
      const sizeMb = file.size / 1e6;
      this.find("size").textContent = sizeMb < 1 ? `${Math.ceil(sizeMb * 1e3)} kB` : `${sizeMb.toFixed(1)} MB`;
      this.radios = [...this.node.querySelectorAll("[name=laterality]")];
      for (const radio of this.radios) radio.name = `laterality-${number}`;
      this.field = this.find("field");
      this.prepareEye();
      this.find("send").addEventListener("click", () => this.send());
      this.find("remove").addEventListener("click", () => this.remove());
      paintPreview(this.find("preview"), file);
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
      this.find("guessed").hidden = !guess;
      this.find("unknown").hidden = Boolean(guess);
      this.renderSend();
    }

    renderSend() {
      const texts = this.box.root.dataset;
      const button = this.find("send");
      button.disabled = !this.laterality;
      button.textContent = { OD: texts.confirmOd, OS: texts.confirmOs }[this.laterality] || texts.chooseEye;
    }

    lock(isLocked) {
      for (const control of [...this.radios, this.field, this.find("send"), this.find("remove")]) control.disabled = isLocked;
    }

    send() {
      const form = new FormData();
      form.set("csrfmiddlewaretoken", this.box.token);
      form.set("laterality", this.laterality);
      form.set("field", this.field.value);
      form.set("photo", this.file);
      const request = new XMLHttpRequest();
      const bar = this.find("progress");
      this.lock(true);
      this.node.classList.remove("is-failed");
      this.find("error").textContent = "";
      bar.hidden = false;
      bar.value = 0;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) bar.value = event.loaded / event.total;
      });
      request.addEventListener("load", () => this.finish(request));
      request.addEventListener("error", () => this.fail(this.box.root.dataset.offline));
      request.addEventListener("timeout", () => this.fail(this.box.root.dataset.offline));
      request.timeout = 120000;
      request.open("POST", this.box.form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(form);
    }

    finish(request) {
      let response = {};
      try {
        response = JSON.parse(request.responseText);
      } catch {
        // An error page of a proxy: the general message is shown.
      }
      if (request.status >= 200 && request.status < 300 && response.image) {
        this.box.announce(response.message);
        this.remove();
        document.body.dispatchEvent(new CustomEvent("photo-uploaded"));
        return;
      }
      this.fail(response.message || this.box.root.dataset.failed);
    }

    fail(message) {
      this.lock(false);
      this.find("progress").hidden = true;
      this.node.classList.add("is-failed");
      this.find("error").textContent = message;
      this.find("send").textContent = this.box.root.dataset.retry;
      this.find("send").focus();
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
      this.addListeners();
    }

    addListeners() {
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

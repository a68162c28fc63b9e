// Upload of several photographs: one row for each file, with preview, eye, field, progress and error message.
// The user confirms the eye of each photograph before it is uploaded. Without JavaScript the plain form works.
"use strict";

(() => {
  // Lower case, without accents, as in ml/eye_names.py: digits, underscores and signs separate words.
  function wordsOf(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/\p{L}+/gu) || [];
  }

  // The file name only preselects the eye; nothing is uploaded without the user.
  function eyeInName(fileName, eyeNames) {
    const words = new Set(wordsOf(fileName.replace(/\.[^.]*$/, "")));
    const found = Object.keys(eyeNames).filter((eye) => eyeNames[eye].some((word) => words.has(word)));
    return found.length === 1 ? found[0] : null; // both or none: it says nothing
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
      box.rowOf.set(this.node, this);
      this.find = (name) => this.node.querySelector(`[data-row="${name}"]`);
      this.find("name").textContent = file.name;
      const sizeMb = file.size / 1e6;
      this.find("size").textContent = sizeMb < 1 ? `${Math.ceil(sizeMb * 1e3)} kB` : `${sizeMb.toFixed(1)} MB`;
      this.radios = [...this.node.querySelectorAll("[name=laterality]")];
      for (const radio of this.radios) radio.name = `laterality-${number}`;
      this.field = this.find("field");
      this.capturedOn = this.find("captured-on");
      this.reason = this.find("reason").querySelector("input");
      this.confirmed = new Set();
      this.question = null;
      this.writing = "";
      this.prepareEye();
      for (const button of this.find("writing").querySelectorAll("button")) {
        button.addEventListener("click", () => {
          this.writing = button.value;
          this.question = null;
          this.send();
        });
      }
      this.find("send").addEventListener("click", () => this.send());
      this.find("remove").addEventListener("click", () => this.remove());
      paintPreview(this.find("preview"), file);
    }

    get laterality() {
      const chosen = this.radios.find((radio) => radio.checked);
      return chosen ? chosen.value : null;
    }

    prepareEye() {
      for (const radio of this.radios) radio.addEventListener("change", () => this.chooseEye());
      const named = eyeInName(this.file.name, this.box.eyeNames);
      this.preselect(named, named ? "named" : "looking");
    }

    chooseEye() {
      this.find("looking").hidden = true;
      this.renderSend();
    }

    // Select the eye, or none, and show the hint that says where it comes from.
    preselect(eye, hint) {
      for (const radio of this.radios) radio.checked = radio.value === eye;
      for (const name of ["named", "looking", "recognised", "unknown"]) this.find(name).hidden = name !== hint;
      this.renderSend();
    }

    // If the file name says nothing: the eye that the server recognises, unless the user has chosen in the meantime.
    async recogniseEye() {
      const isOpen = () => !this.laterality && this.node.isConnected;
      const eye = isOpen() && (await this.box.requestEye(this.file));
      if (!isOpen()) return;
      const hint = eye ? "recognised" : "unknown";
      this.preselect(eye, hint);
      this.box.announce(`${this.file.name}: ${this.find(hint).textContent.trim()}`);
      if (document.activeElement === this.find("eye")) this.focusEye();
    }

    // The selected eye, on which Space changes nothing; the group of both if none is selected.
    focusEye() {
      const selected = this.radios.find((radio) => radio.checked && !radio.disabled);
      (selected || this.find("eye")).focus();
    }

    renderSend() {
      const texts = this.box.root.dataset;
      const button = this.find("send");
      button.disabled = !this.laterality;
      button.textContent = { OD: texts.confirmOd, OS: texts.confirmOs }[this.laterality] || texts.chooseEye;
    }

    lock(isLocked) {
      const fields = [...this.radios, this.field, this.capturedOn, this.reason];
      for (const control of [...fields, this.find("send"), this.find("remove")]) control.disabled = isLocked;
    }

    // Note the answer to the server's question. False if a reason is missing.
    answer() {
      const asked = this.question;
      if (!asked || !asked.confirm) return true;
      const isOfDate = Boolean(asked.captured_on);
      if (!isOfDate && !this.reason.value.trim()) {
        this.find("error").textContent = this.box.root.dataset.giveReason;
        this.reason.focus();
        return false;
      }
      if (!isOfDate || this.capturedOn.value === asked.captured_on) this.confirmed.add(asked.confirm);
      return true;
    }

    send() {
      if (!this.answer()) return;
      const form = new FormData();
      form.set("csrfmiddlewaretoken", this.box.token);
      form.set("laterality", this.laterality);
      form.set("field", this.field.value);
      if (this.capturedOn.value) form.set("captured_on", this.capturedOn.value);
      for (const code of this.confirmed) form.append("confirm", code);
      form.set("reason", this.reason.value);
      if (this.writing) form.set("writing", this.writing);
      form.set("photo", this.file);
      const request = new XMLHttpRequest();
      const bar = this.find("progress");
      this.lock(true);
      this.node.classList.remove("is-failed");
      this.find("error").textContent = "";
      this.find("question").hidden = true;
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
      if (request.status === 409 && response.code === "writing_outside") this.askAboutWriting(response.message);
      else if (request.status === 409 && (response.confirm || response.captured_on)) this.ask(response);
      else this.fail(response.message || this.box.root.dataset.failed);
    }

    // Show a question of the server in the row: the file and all entries stay.
    ask(question) {
      this.question = question;
      this.lock(false);
      this.find("progress").hidden = true;
      this.find("question").hidden = false;
      this.find("question-text").textContent = question.message;
      this.find("writing").hidden = true;
      this.find("send").hidden = false;
      const isOfDate = Boolean(question.captured_on);
      this.find("reason").hidden = isOfDate;
      this.find("other-exam").hidden = !question.url;
      if (question.url) this.find("other-exam").querySelector("a").href = question.url;
      if (isOfDate) this.capturedOn.value = question.captured_on;
      const texts = this.box.root.dataset;
      if (question.confirm) this.find("send").textContent = isOfDate ? texts.confirmDate : texts.confirmOtherPatient;
      (isOfDate ? this.capturedOn : this.reason).focus();
    }

    // Two answers, of which none is preselected: a person decides what happens to the writing.
    askAboutWriting(message) {
      this.lock(false);
      this.find("progress").hidden = true;
      this.find("question").hidden = false;
      this.find("question-text").textContent = message;
      for (const name of ["reason", "other-exam", "send"]) this.find(name).hidden = true;
      this.find("writing").hidden = false;
      this.find("writing").querySelector("button").focus();
    }

    fail(message) {
      this.find("send").hidden = false;
      this.lock(false);
      this.find("progress").hidden = true;
      this.node.classList.add("is-failed");
      this.find("error").textContent = message;
      this.find("send").textContent = this.box.root.dataset.retry;
      this.find("send").focus();
    }

    remove() {
      const next = this.box.rowOf.get(this.node.nextElementSibling || this.node.previousElementSibling);
      const hadFocus = this.node.contains(document.activeElement) || document.activeElement === document.body;
      this.node.remove();
      if (!hadFocus) return;
      if (next) next.focusEye();
      else this.box.picker.focus();
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
      this.eyeNames = JSON.parse(document.getElementById("eye-names").textContent);
      for (const [eye, words] of Object.entries(this.eyeNames)) this.eyeNames[eye] = words.flatMap(wordsOf);
      this.rowOf = new WeakMap();
      this.lookedAt = Promise.resolve();
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
      if (rows.length) rows[0].focusEye();
      for (const row of rows) this.lookedAt = this.lookedAt.then(() => row.recogniseEye()); // one at a time
    }

    // The eye that the server recognises in a photograph; null if it is not clear. The server stores nothing.
    async requestEye(file) {
      const form = new FormData();
      form.set("photo", file, "photo"); // without its name
      const headers = { Accept: "application/json", "X-CSRFToken": this.token };
      try {
        const response = await fetch(this.root.dataset.suggestEye, { method: "POST", body: form, headers });
        return response.ok ? (await response.json()).laterality_suggested : null;
      } catch {
        return null; // no connection: the user chooses
      }
    }

    announce(message) {
      this.live.textContent = message;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-upload]").forEach((root) => new UploadBox(root));
  });
})();

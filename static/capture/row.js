// One photograph that waits: preview, eye, field, progress, questions of the server. It is sent at once and added to the
// exam after a person has confirmed the eye.
"use strict";

(() => {
  const { insist, paintPreview, post, sendOnce, sizeText } = window.capture;

  class Row {
    // ``source``: name, eye, field, isConfirmed, and a blob, or the id of a complete upload.
    constructor(tray, source, number) {
      Object.assign(this, { tray, ...source });
      this.node = tray.template.content.firstElementChild.cloneNode(true);
      this.find = (name) => this.node.querySelector(`[data-row="${name}"]`);
      this.find("name").textContent = this.name;
      this.find("size").textContent = this.blob ? sizeText(this.blob) : "";
      this.radios = [...this.node.querySelectorAll("[name=laterality]")];
      for (const radio of this.radios) {
        radio.name = `laterality-${number}`;
        radio.addEventListener("change", () => this.chooseEye());
      }
      this.fieldSelect = this.find("field");
      this.fieldSelect.value = this.field || "macula";
      this.capturedOn = this.find("captured-on");
      this.reason = this.find("reason").querySelector("input");
      this.answers = new Set();
      this.question = null;
      this.writing = "";
      this.isRefused = false;
      for (const button of this.find("writing").querySelectorAll("button")) {
        button.addEventListener("click", () => { this.writing = button.value; this.question = null; this.confirm(); });
      }
      this.fieldSelect.addEventListener("change", () => { this.isFieldChosen = true; this.keep(); });
      this.find("send").addEventListener("click", () => this.confirm());
      this.find("remove").addEventListener("click", () => this.discard());
      this.preselect(this.eye, this.eye ? this.hint || "named" : "looking");
      this.preview = this.showPreview();
    }

    async showPreview() {
      if (this.blob) await paintPreview(this.find("preview"), this.blob);
      else if (this.uploadId) await this.showPreviewOfServer(); // else it is a file of an archive, and no photograph
    }

    async showPreviewOfServer() {
      const address = this.tray.texts.preview.replace(this.tray.texts.anyId, this.uploadId);
      const blob = await fetch(address).then((answer) => (answer.ok ? answer.blob() : null), () => null);
      if (blob) await paintPreview(this.find("preview"), blob);
    }

    // A browser displays no TIFF and no DICOM file; the server sends a small JPEG.
    async completePreview() {
      await this.preview;
      if ("isBlank" in this.find("preview").dataset && !this.isRemoved) await this.showPreviewOfServer();
    }

    get laterality() {
      return this.radios.find((radio) => radio.checked)?.value || null;
    }

    get isToConfirm() {
      return !this.isConfirmed && !this.isRefused && !this.question;
    }

    // Select the eye, or none, and show the hint of where it comes from.
    preselect(eye, hint) {
      for (const radio of this.radios) radio.checked = radio.value === eye;
      for (const name of ["named", "looking", "stated", "recognised", "unknown", "other-slot"]) this.find(name).hidden = name !== hint;
      this.render();
    }

    chooseEye() {
      this.find("looking").hidden = true;
      this.keep();
      this.render();
    }

    // The selected eye, on which Space changes nothing; the group of both if none is selected.
    focusEye() {
      (this.radios.find((radio) => radio.checked && !radio.disabled) || this.find("eye")).focus();
    }

    render() {
      const { texts } = this.tray;
      const button = this.find("send");
      button.disabled = !this.laterality;
      button.hidden = this.isConfirmed;
      button.textContent = { OD: texts.confirmOd, OS: texts.confirmOs }[this.laterality] || texts.chooseEye;
      for (const control of [...this.radios, this.fieldSelect, this.capturedOn, this.reason]) control.disabled = this.isConfirmed;
      this.find("sending").hidden = !this.isConfirmed;
      this.tray.render();
    }

    // Keep the photograph in the browser until the server has it; without its name.
    async keep() {
      if (!this.blob || this.uploadId || this.isRemoved) return;
      const { account, exam } = this.tray;
      const choice = { eye: this.laterality, field: this.fieldSelect.value, isConfirmed: this.isConfirmed };
      const entry = { id: this.id, account, exam, blob: this.blob, uploadUrl: this.uploadUrl, ...choice };
      Object.assign(entry, { addedAt: this.addedAt, isArchive: this.isArchive });
      await window.capture.store.put(entry).catch(() => this.tray.warnOfStorage());
    }

    async start() {
      await this.keep();
      try {
        if (!this.uploadId) await this.tray.queue.run(() => this.send());
        if (this.isRemoved) return;
        if (this.isArchive) {
          await this.unpack();
          return;
        }
        this.completePreview();
        if (!this.laterality) await this.recogniseEye();
        if (this.isConfirmed) await this.attach();
      } catch (error) {
        if (!this.isRemoved) this.fail(error.message || this.tray.texts.failed, { canRepeat: error.status !== 400 });
      }
    }

    onPause(isPaused) {
      this.isPaused = isPaused;
      this.tray.renderBanner();
    }

    repeat(task) {
      return insist(task, { onPause: (isPaused) => this.onPause(isPaused), isWanted: () => !this.isRemoved });
    }

    async send() {
      const bar = this.find("progress");
      bar.hidden = false;
      const metadata = { laterality: this.laterality || "", field: this.fieldSelect.value };
      const url = await this.repeat(() => sendOnce(this.blob, {
        endpoint: this.tray.texts.uploads,
        uploadUrl: this.uploadUrl,
        metadata,
        onUrl: (found) => { this.uploadUrl = found; this.keep(); },
        onProgress: (fraction) => { bar.value = fraction; },
        setAbort: (abort) => { this.abort = abort; },
      }));
      this.uploadId = url.split("/").pop();
      bar.hidden = true;
      await window.capture.store.remove(this.id).catch(() => {});
    }

    async unpack() {
      const { files } = await this.repeat(() => post(`${this.uploadUrl}/unpack`));
      if (this.isRemoved) for (const one of files) this.deleteUpload(one.upload?.id);
      else this.tray.addUnpacked(files);
      this.leave();
    }

    // If the file name has no eye: the one that the server recognises, unless the user has chosen in the meantime.
    async recogniseEye() {
      const isOpen = () => !this.laterality && this.node.isConnected;
      const form = new FormData();
      form.set("upload", this.uploadId);
      const suggestion = isOpen() ? await post(this.tray.texts.suggestEye, form).catch((error) => {
        if (error.status === 400) throw error; // the file is refused: no person can choose its eye
        return {};
      }) : {};
      if (!isOpen()) return;
      const hint = suggestion.is_from_file ? "stated" : suggestion.laterality_suggested ? "recognised" : "unknown";
      if (suggestion.field_suggested && !this.isFieldChosen) this.fieldSelect.value = suggestion.field_suggested;
      this.preselect(suggestion.laterality_suggested, hint);
      this.tray.announce(`${this.name}: ${this.find(hint).textContent.trim()}`);
      if (document.activeElement === this.find("eye")) this.focusEye();
    }

    // A person has confirmed the eye: the photograph is added once the server has it.
    async confirm() {
      if (this.isStuck && !this.laterality) {
        Object.assign(this, { isStuck: false, isRefused: false });
        this.preselect(null, "looking");
        await this.start();
        return;
      }
      if (this.isConfirmed || !this.laterality || !this.answer()) return;
      Object.assign(this, { isConfirmed: true, isRefused: false, question: null });
      this.find("question").hidden = true;
      this.find("error").textContent = "";
      this.node.classList.remove("is-failed");
      this.render();
      if (this.isStuck) {
        this.isStuck = false;
        await this.start();
        return;
      }
      await this.keep();
      if (this.uploadId) await this.attach();
    }

    form() {
      const form = new FormData();
      form.set("upload", this.uploadId);
      form.set("laterality", this.laterality);
      form.set("field", this.fieldSelect.value);
      form.set("pupil", this.tray.pupil.value);
      const day = this.capturedOn.value || this.tray.capturedOn.value;
      if (day) form.set("captured_on", day);
      for (const code of this.answers) form.append("confirm", code);
      form.set("reason", this.reason.value);
      if (this.writing) form.set("writing", this.writing);
      return form;
    }

    // Both the confirmation and the end of the upload may begin it.
    async attach() {
      if (this.isAttaching) return;
      this.isAttaching = true;
      try {
        const answer = await this.repeat(() => post(this.tray.form.action, this.form()));
        this.tray.announce(answer.message);
        this.leave();
        document.body.dispatchEvent(new CustomEvent("photo-uploaded"));
      } catch (error) {
        if (!this.isRemoved) this.onRefusal(error);
      } finally {
        this.isAttaching = false;
      }
    }

    // An upload that the server no longer has was added and the answer was lost, or it is too old: the file is sent again.
    // The server does not add a photograph twice.
    onRefusal(error) {
      const asked = error.body || {};
      if (error.status === 409 && (asked.confirm || asked.captured_on || asked.code === "writing_outside")) {
        this.ask(asked);
      } else if (error.status === 404 && this.blob && !this.isSentAgain) {
        Object.assign(this, { isSentAgain: true, uploadId: null, uploadUrl: null });
        setTimeout(() => this.start());
      } else this.fail(error.message || this.tray.texts.failed);
    }

    // The photograph cannot be sent or added as it is. ``canRepeat``: the button tries again. Otherwise it is no photograph,
    // and its upload is deleted: it would be in this list again each time the page is opened.
    fail(message, { canRepeat = true } = {}) {
      if (!canRepeat) {
        this.refusal ||= "refused";
        this.deleteUpload(this.uploadId);
      }
      Object.assign(this, { isConfirmed: false, isRefused: true, isStuck: true });
      this.render();
      this.node.classList.add("is-failed");
      for (const name of ["progress", "looking"]) this.find(name).hidden = true;
      this.find("error").textContent = message;
      const button = this.find("send");
      button.hidden = !canRepeat;
      this.find("eye").hidden = !canRepeat; // there is no photograph whose eye could be chosen
      button.disabled = false;
      button.textContent = this.tray.texts.retry;
      (canRepeat ? button : this.find("remove")).focus();
    }

    // The user removes it: it is deleted here and on the server.
    async discard() {
      this.leave();
      if (this.abort) this.abort();
      await this.deleteUpload(this.uploadId || this.uploadUrl?.split("/").pop());
    }

    async deleteUpload(id) {
      if (!id) return;
      const headers = { "Tus-Resumable": "1.0.0", "X-CSRFToken": window.csrfToken() };
      const address = this.tray.texts.uploadBase.replace(this.tray.texts.anyId, id);
      await fetch(address, { method: "DELETE", headers }).catch(() => {}); // it expires after a day
    }

    leave() {
      if (this.isRemoved) return;
      this.isRemoved = true;
      window.capture.store.remove(this.id).catch(() => {});
      this.tray.removeRow(this);
    }
  }

  Object.assign(window.capture, { Row });
})();

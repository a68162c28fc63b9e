// The photographs of an exam that wait: chosen, dropped, taken with the camera, or left from before the page was loaded.
// They are sorted by file name and by what they show; one button confirms all. Without JavaScript the plain form works.
"use strict";

(() => {
  const { Queue, Row, check, keyInName, personInName, store } = window.capture;

  class Tray {
    constructor(root) {
      this.root = root;
      this.texts = root.dataset;
      this.account = root.dataset.account;
      this.exam = root.dataset.exam;
      this.form = root.querySelector("form");
      this.template = root.querySelector("template");
      this.find = (name) => root.querySelector(`[data-tray="${name}"]`);
      this.pupil = this.find("pupil");
      this.capturedOn = this.find("captured-on");
      this.list = this.find("rows");
      this.facts = JSON.parse(document.getElementById("capture-facts").textContent);
      this.queue = new Queue();
      this.rows = [];
      this.nRows = 0;
      this.form.hidden = true;
      this.find("all").hidden = false;
      document.body.classList.add("has-capture");
      this.addListeners();
      this.recover();
    }

    addListeners() {
      document.addEventListener("change", (event) => {
        const picker = event.target.closest("[data-picker]");
        if (!picker) return;
        this.add([...picker.files], picker.closest("[data-slot]"));
        picker.value = "";
      });
      for (const kind of ["dragover", "dragleave", "drop"]) {
        document.addEventListener(kind, (event) => {
          const place = event.target.closest("[data-slot]") || this.root;
          place.classList.toggle("is-over", kind === "dragover");
          if (kind !== "dragleave") event.preventDefault();
          if (kind === "drop") this.add([...event.dataTransfer.files], event.target.closest("[data-slot]"));
        });
      }
      this.find("confirm-all").addEventListener("click", () => this.confirmAll());
      this.followEyes();
      window.addEventListener("beforeunload", (event) => { if (this.isStorageFull && this.rows.length) event.preventDefault(); });
      for (const kind of ["online", "offline"]) window.addEventListener(kind, () => this.renderBanner());
    }

    // The eyes are asked for after each photograph. htmx drops that request if the answer to an earlier one replaces them:
    // then they are asked for once more.
    followEyes() {
      let [nAdded, nAsked] = [0, 0];
      document.body.addEventListener("photo-uploaded", () => { nAdded += 1; }, { capture: true });
      document.addEventListener("htmx:beforeRequest", (event) => { if (event.target.id === "eyes") nAsked = nAdded; });
      document.addEventListener("htmx:afterSettle", () => {
        if (nAsked < nAdded) document.body.dispatchEvent(new CustomEvent("photo-uploaded"));
      });
    }

    // What was left from before: complete uploads on the server, and photographs kept in this browser.
    async recover() {
      const known = new Set(this.facts.uploads.map((one) => one.id));
      const sources = this.facts.uploads.map((one) => ({ name: this.texts.kept, uploadId: one.id, eye: one.laterality, field: one.field }));
      const kept = window.indexedDB ? await store.list(this.account, this.exam).catch(() => []) : [];
      for (const one of kept) {
        if (!one.uploadUrl || !known.has(one.uploadUrl.split("/").pop())) sources.push({ ...one, name: this.texts.kept });
        else store.remove(one.id).catch(() => {});
      }
      this.addRows(sources);
    }

    async add(files, slot) {
      const sources = await Promise.all(files.map((file) => this.sourceOf(file, slot)));
      if (this.peopleIn([...this.rows, ...sources]).length > 1) for (const source of sources) source.isConfirmed = false;
      this.addRows(sources);
    }

    // The different names or numbers of people that the names of files have.
    peopleIn(files) {
      const { eye_names: eyes, field_names: fields } = this.facts;
      const named = files.filter((one) => one.name !== this.texts.kept && !one.refusal && !one.isArchive);
      return [...new Set(named.map((one) => personInName(one.name, eyes, fields)).filter(Boolean))];
    }

    async sourceOf(file, slot) {
      const { kind, refusal } = await check(file, this.facts.limits);
      const named = keyInName(file.name, this.facts.eye_names);
      const slotEye = slot ? slot.dataset.eye : null;
      const isOther = Boolean(slotEye && named && named !== slotEye);
      return {
        id: crypto.randomUUID(),
        addedAt: Date.now(),
        name: file.name,
        blob: new Blob([file], { type: file.type }), // NB: a File would be kept with its name
        isArchive: kind === "zip",
        refusal,
        eye: slotEye || named,
        hint: isOther ? "other-slot" : slotEye ? "none" : "named",
        field: (slot && slot.dataset.field) || keyInName(file.name, this.facts.field_names),
        isConfirmed: Boolean(slotEye) && !isOther && kind !== "zip", // the place that was chosen has the eye
      };
    }

    addRows(sources) {
      const rows = sources.map((source) => new Row(this, source, (this.nRows += 1)));
      this.rows.push(...rows);
      this.list.append(...rows.map((row) => row.node));
      rows.find((row) => row.isToConfirm && !row.refusal)?.focusEye();
      for (const row of rows) {
        if (row.refusal) row.fail(this.facts.refusals[row.refusal], { canRepeat: false });
        else row.start();
      }
      this.render();
    }

    addUnpacked(files) {
      this.addRows(files.filter((one) => one.upload).map(({ name, upload }) => (
        { name, uploadId: upload.id, eye: upload.laterality, field: upload.field }
      )));
      for (const { name, message } of files.filter((one) => !one.upload)) {
        const row = new Row(this, { name }, (this.nRows += 1));
        this.rows.push(row);
        this.list.append(row.node);
        row.fail(message, { canRepeat: false });
      }
      this.render();
    }

    confirmAll() {
      const rows = this.rows.filter((row) => row.isToConfirm && row.laterality);
      for (const row of rows) row.confirm();
      this.render();
    }

    removeRow(row) {
      const at = this.rows.indexOf(row);
      const hadFocus = row.node.contains(document.activeElement) || document.activeElement === document.body;
      this.rows.splice(at, 1);
      row.node.remove();
      this.render();
      this.renderBanner();
      if (!hadFocus) return;
      const next = this.rows[at] || this.rows[at - 1];
      if (next) next.focusEye();
      else this.find("picker").focus();
    }

    render() {
      const open = this.rows.filter((row) => row.isToConfirm && !row.isArchive);
      const nWithoutEye = open.filter((row) => !row.laterality).length;
      const button = this.find("confirm-all");
      this.find("bar").hidden = open.length < 2;
      button.disabled = nWithoutEye > 0;
      const forms = nWithoutEye ? this.texts.chooseEyes : this.texts.confirmAll;
      button.textContent = window.pluralText(forms, nWithoutEye || open.length);
      this.renderPeople();
    }

    renderPeople() {
      const people = this.peopleIn(this.rows);
      const warning = this.find("people");
      const text = people.length > 1 ? this.texts.people.replace("{names}", people.join(", ")) : "";
      if (warning.textContent !== text) warning.textContent = text;
      warning.hidden = !text;
    }

    renderBanner() {
      const n = this.rows.filter((row) => row.isPaused).length;
      const banner = this.find("banner");
      const text = n ? window.pluralText(this.texts.waiting, n) : "";
      if (banner.textContent !== text) banner.textContent = text;
      banner.hidden = !n;
    }

    warnOfStorage() {
      this.isStorageFull = true;
      this.find("storage").hidden = false;
    }

    announce(message) {
      this.find("live").textContent = message;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const root = document.querySelector("[data-upload]");
    if (root) window.capture.tray = new Tray(root);
  });
})();

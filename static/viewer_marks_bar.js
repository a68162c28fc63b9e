// The controls of marks: the bar for drawing, the keys K and E, the list of each eye, the marks of a signed version.
// Needs viewer_marks_draw.js.
"use strict";

(() => {
  const marks = window.viewerMarks;
  const draw = window.viewerMarksDraw;
  const KEYS_OFF = "reading-keys-off";
  let lastShape = "point";
  let drawnKind = ""; // of the next mark

  const bar = () => document.querySelector("[data-marks-bar]");
  const press = (button, isOn) => button.setAttribute("aria-pressed", String(isOn));

  function renderBar() {
    const box = bar();
    if (!box) return;
    const isReadOnly = marks.isReadOnly();
    if (isReadOnly && draw.shape) draw.choose("");
    box.hidden = !marks.isEditing;
    for (const button of document.querySelectorAll('[data-marks-do="mark"]')) press(button, marks.isEditing);
    for (const node of box.querySelectorAll("[data-marks-tools]")) node.hidden = isReadOnly;
    for (const button of box.querySelectorAll("[data-marks-shape]")) press(button, button.dataset.marksShape === draw.shape);
    box.querySelector('[data-marks-do="undo"]').disabled = !marks.canUndo;
    const kinds = box.querySelector("[data-marks-kind]");
    drawnKind ||= kinds.value;
    kinds.value = marks.selected?.kind || drawnKind;
    const { hintReadOnly, hintSelected, hintPoint, hintCircle, hintOutline, hintNone } = box.dataset;
    const hints = { point: hintPoint, circle: hintCircle, outline: hintOutline };
    const hint = marks.selected ? hintSelected : hints[draw.shape] || hintNone;
    box.querySelector("[data-marks-hint]").textContent = isReadOnly ? hintReadOnly : hint;
    for (const button of document.querySelectorAll("[data-marks-version]")) press(button, button === shownVersion);
  }

  function renderLists() {
    for (const [eye, list] of Object.entries(marks.marks)) {
      const box = marks.listOf(eye);
      if (!box) continue;
      const rows = box.querySelector("[data-marks-rows]");
      const focused = [...rows.querySelectorAll("button, select")].indexOf(document.activeElement);
      rows.replaceChildren(...list.map((mark, i) => rowOf(mark, i, box)));
      box.querySelector("[data-marks-count]").textContent = list.length || "";
      box.querySelector("[data-marks-none]").hidden = list.length > 0;
      if (focused < 0) continue;
      const controls = rows.querySelectorAll("button, select");
      (controls[Math.min(focused, controls.length - 1)] || box.querySelector("summary")).focus();
    }
  }

  function rowOf(mark, i, box) {
    const row = box.querySelector("template").content.firstElementChild.cloneNode(true);
    const [[show, remove], kind] = [row.querySelectorAll("button"), row.querySelector("select")];
    show.textContent = bar().dataset[mark.shape];
    for (const button of [show, remove]) button.setAttribute("aria-label", `${button.dataset.label} ${i + 1}: ${marks.textOf(mark)}`);
    kind.append(...[...bar().querySelectorAll("[data-marks-kind] option")].map((option) => option.cloneNode(true)));
    kind.value = mark.kind;
    kind.setAttribute("aria-label", `${kind.dataset.label} ${i + 1}`);
    kind.addEventListener("change", () => marks.setKind(mark, kind.value));
    show.addEventListener("click", () => reveal(mark));
    remove.addEventListener("click", () => marks.remove(mark));
    return row;
  }

  // Shows the photograph of a mark, with the mark in the middle and focused, so that the keys can move or delete it.
  function reveal(mark) {
    const isOpen = (pane) => pane.isShown && pane.photoId === mark.image;
    if (!window.viewer.panes.some(isOpen)) document.querySelector(`[data-viewer-show][data-photo-id="${mark.image}"]`)?.click();
    if (!marks.isEditing) open();
    const pane = window.viewer.panes.find(isOpen);
    if (!pane) return;
    pane.centre = window.viewerMarkShapes.middleOf(mark);
    window.viewer.schedule();
    marks.overlayOf(pane).focus(mark);
  }

  function open() {
    marks.edit(true);
    draw.choose(marks.isReadOnly() ? "" : lastShape);
    renderBar();
  }

  function close() {
    marks.announce("");
    marks.edit(false);
    draw.choose("");
    renderBar();
  }

  const ACTIONS = {
    mark: () => (marks.isEditing ? close() : open()),
    show: () => marks.show(!marks.isShown),
    undo: () => marks.undo(),
    finish: () => draw.finish(),
    cancel: () => draw.cancel(),
  };

  function choose(name) {
    const isSame = draw.shape === name;
    if (!isSame) lastShape = name;
    draw.choose(isSame ? "" : name);
    marks.announce("");
    renderBar();
  }

  let shownVersion = null; // the button of the version whose marks are shown

  function showVersion(button) {
    shownVersion = shownVersion === button ? null : button;
    marks.showVersion(shownVersion ? JSON.parse(button.dataset.marksVersion) : null);
    renderBar();
  }

  const KEYS = { k: "mark", e: "show" };

  function onKey(event) {
    if (!bar() || document.querySelector("dialog[open]") || event.repeat) return;
    const key = event.key.toLowerCase();
    const isTyping = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])");
    if (isTyping) return;
    if ((event.ctrlKey || event.metaKey) && key === "z" && marks.isEditing) marks.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS_OFF) === "yes" || !KEYS[key]) return;
    else ACTIONS[KEYS[key]]();
    event.preventDefault();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-marks-do], [data-marks-shape], [data-marks-version]");
    if (!button || !bar()) return;
    if (button.dataset.marksDo) ACTIONS[button.dataset.marksDo]();
    else if (button.dataset.marksShape) choose(button.dataset.marksShape);
    else showVersion(button);
  });
  // The kind of the selected mark, else of the next one.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-marks-kind]")) return;
    if (marks.selected) marks.setKind(marks.selected, event.target.value);
    else drawnKind = event.target.value;
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("marks:selected", renderBar);
  document.addEventListener("marks:changed", () => {
    if (shownVersion && !shownVersion.isConnected) shownVersion = null;
    renderBar();
    renderLists();
  });
})();

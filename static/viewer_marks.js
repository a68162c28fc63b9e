// Marks on the photographs of the reading page: the marks of the form, their shapes over each pane, their list.
// Needs viewer.js and viewer_marks_shapes.js; viewer_marks_draw.js draws new ones.
"use strict";

window.viewerMarks = (() => {
  const shapes = window.viewerMarkShapes;
  const EYES = ["OD", "OS"];
  const MAX_UNDO = 50;
  const STEP_PX = 4; // of the arrow keys

  const marks = { OD: [], OS: [] };
  const overlays = new WeakMap(); // of the panes
  const undone = []; // the marks of an eye before each change
  const movedTo = new WeakMap(); // a mark that was changed: the one in its place
  let isShown = true;
  let isEditing = false; // the bar for drawing is open
  let selected = null; // the mark whose kind the bar changes: the one that had the focus last
  let version = null; // the marks of an earlier version, shown instead of those of the form
  let nChanges = 1;
  let nOverlays = 0;

  const bar = () => document.querySelector("[data-marks-bar]");
  const inputOf = (eye) => document.querySelector(`input[data-marks="${eye}"]`);
  const listOf = (eye) => document.querySelector(`[data-marks-list="${eye}"]`);
  // Those of the form, and those that were signed on the photographs of the visit before.
  const shownMarks = () => version || [...EYES.flatMap((eye) => marks[eye]), ...JSON.parse(bar().dataset.earlier || "[]")];
  const eyeOf = (photoId) => EYES.find((eye) => inputOf(eye)?.dataset.images.split(" ").includes(photoId));

  // Signed marks change only in an amendment.
  function isReadOnly() {
    const input = inputOf("OD") || inputOf("OS");
    const amendment = input?.closest("[data-amendment]");
    return !input || Boolean(version) || Boolean(amendment && !amendment.open);
  }

  const kindLabel = (kind) => bar().querySelector(`option[value="${kind}"]`)?.textContent.trim() || kind;
  const shapeLabel = (shape) => bar().dataset[shape];
  const textOf = (mark) => `${kindLabel(mark.kind)}, ${shapeLabel(mark.shape)}`;

  function announce(text) {
    const line = bar().querySelector("[data-marks-live]");
    line.textContent = "";
    line.textContent = text;
  }

  /** Replace the marks of an eye and keep them in the form, which is saved as a draft. */
  function set(eye, changed, { isUndo = false } = {}) {
    const text = changed.length ? JSON.stringify(changed) : "";
    const limit = Number(bar().dataset.maxChars);
    const isMore = changed.length > marks[eye].length;
    if (isMore && (changed.length > Number(bar().dataset.maxMarks) || text.length > limit)) {
      announce(bar().dataset.tooMany);
      return false;
    }
    if (!isUndo) undone.push([eye, marks[eye]]);
    if (undone.length > MAX_UNDO) undone.shift();
    marks[eye] = changed;
    if (!EYES.some((one) => marks[one].includes(selected))) selected = null;
    const input = inputOf(eye);
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    refresh();
    return true;
  }

  function add(mark) {
    const eye = eyeOf(mark.image);
    if (!set(eye, [...marks[eye], mark])) return false;
    announce(`${textOf(mark)}. ${bar().dataset.drawn.replace("{n}", marks[eye].length)}`);
    return true;
  }

  function remove(mark) {
    const eye = eyeOf(mark.image);
    set(eye, marks[eye].filter((one) => one !== mark));
    announce(bar().dataset.deleted);
  }

  function replace(mark, changed) {
    const eye = eyeOf(mark.image);
    movedTo.set(mark, changed);
    if (selected === mark) selected = changed;
    set(eye, marks[eye].map((one) => (one === mark ? changed : one)));
  }

  /** Change the kind of a mark that was drawn. */
  function setKind(mark, kind) {
    const changed = { ...mark, kind };
    replace(mark, changed);
    announce(textOf(changed));
  }

  function select(mark) {
    if (selected === mark || isReadOnly()) return;
    selected = mark;
    for (const node of document.querySelectorAll(".mark")) node.classList.toggle("is-selected", node.mark === selected);
    document.dispatchEvent(new Event("marks:selected"));
  }

  function undo() {
    const last = undone.pop();
    if (!last || isReadOnly()) return;
    set(last[0], last[1], { isUndo: true });
    announce(bar().dataset.undone);
  }

  /** The marks over one pane. They keep their place on the retina at each zoom. */
  class Overlay {
    constructor(pane) {
      this.pane = pane;
      nOverlays += 1;
      this.svg = shapes.element("svg", { class: "pane-marks", role: "group", "aria-label": bar().dataset.title });
      this.group = shapes.element("g", { id: `pane-marks-${nOverlays}` });
      this.hole = shapes.element("path", { "clip-rule": "evenodd" });
      this.lens = shapes.element("circle");
      this.copy = shapes.element("use", { href: `#${this.group.id}`, "aria-hidden": "true" });
      const clip = (node, name) => {
        const clipPath = shapes.element("clipPath", { id: `${this.group.id}-${name}` });
        clipPath.append(node);
        return clipPath;
      };
      this.outer = shapes.element("g");
      this.outer.append(this.group);
      this.inner = shapes.element("g", { "clip-path": `url(#${this.group.id}-lens)` });
      this.inner.append(this.copy);
      this.svg.append(clip(this.hole, "hole"), clip(this.lens, "lens"), this.outer, this.inner);
      this.svg.addEventListener("keydown", (event) => this.onKey(event));
      pane.window.append(this.svg);
    }

    build() {
      const { photoId, widthPx, heightPx } = this.pane;
      this.builtFor = `${nChanges} ${photoId} ${widthPx}`;
      this.points = [];
      this.scaledFor = 0;
      const found = shownMarks().filter((mark) => mark.image === photoId);
      const nodes = found.map((mark, i) => {
        const path = shapes.pathOf(mark, widthPx, heightPx);
        const node = shapes.element("g", {
          class: `mark is-${mark.kind}${mark === selected ? " is-selected" : ""}`, "aria-label": `${i + 1}: ${textOf(mark)}`, role: "img",
        });
        const title = shapes.element("title");
        title.textContent = textOf(mark);
        node.append(title, ...["halo", "line", "hit"].map((name) => shapes.element("path", { d: path, class: name })));
        if (isEditing && !isReadOnly() && eyeOf(mark.image)) {
          node.setAttribute("tabindex", 0);
          node.setAttribute("role", "button");
          node.setAttribute("aria-description", bar().dataset.keys);
        }
        if (mark.shape === "point") this.points.push([node, mark.points[0][0] * widthPx, mark.points[0][1] * heightPx]);
        node.mark = mark;
        return node;
      });
      const focused = document.activeElement?.mark && this.group.contains(document.activeElement) ? document.activeElement.mark : null;
      this.group.replaceChildren(...nodes);
      if (focused) nodes.find((node) => node.mark === focused || node.mark === movedTo.get(focused))?.focus();
    }

    render() {
      const { pane } = this;
      const isDrawn = isShown && pane.isShown;
      if (isDrawn && this.builtFor !== `${nChanges} ${pane.photoId} ${pane.widthPx}`) this.build();
      this.svg.style.display = isDrawn && this.group.firstChild ? "" : "none";
      if (!isDrawn || !this.group.firstChild) return;
      const { scale } = pane;
      const rotation = `rotate(${(pane.angle * 180) / Math.PI} ${pane.middle.join(" ")})`;
      this.group.setAttribute("transform", `${rotation} translate(${pane.origin.join(" ")}) scale(${scale})`);
      if (this.scaledFor !== scale) {
        for (const [node, x, y] of this.points) node.setAttribute("transform", `translate(${x} ${y}) scale(${1 / scale})`);
        this.scaledFor = scale;
      }
      this.renderLoupe();
    }

    // In the loupe the marks are enlarged as the photograph is.
    renderLoupe() {
      const loupe = this.pane.loupeCircle;
      this.inner.style.display = loupe ? "" : "none";
      if (!loupe) {
        this.outer.removeAttribute("clip-path");
        return;
      }
      const [x, y, radius, factor] = loupe;
      const { clientWidth: width, clientHeight: height } = this.pane.window;
      this.outer.setAttribute("clip-path", `url(#${this.group.id}-hole)`);
      this.hole.setAttribute("d", `M0 0h${width}v${height}h${-width}z${shapes.circlePath([x, y], radius)}`);
      for (const [name, value] of [["cx", x], ["cy", y], ["r", radius - 2]]) this.lens.setAttribute(name, value);
      this.copy.setAttribute("transform", `translate(${x} ${y}) scale(${factor}) translate(${-x} ${-y})`);
    }

    focus(mark) {
      this.render();
      [...this.group.children].find((node) => node.mark === mark)?.focus();
    }

    onKey(event) {
      const { mark } = event.target;
      if (!mark || isReadOnly()) return;
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Delete" || event.key === "Backspace") {
        remove(mark);
        (this.group.firstChild || this.pane.window).focus();
      } else if (step) {
        const { scale, widthPx, heightPx } = this.pane;
        const changed = shapes.movedBy(mark, (step[0] * STEP_PX) / scale / widthPx, (step[1] * STEP_PX) / scale / heightPx);
        replace(mark, changed);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }
  }

  function render() {
    if (!bar()) return;
    for (const pane of window.viewer.panes) {
      if (!overlays.has(pane)) overlays.set(pane, new Overlay(pane));
      overlays.get(pane).render();
    }
  }

  /** Build everything again that shows marks. */
  function refresh() {
    nChanges += 1;
    document.dispatchEvent(new Event("marks:changed"));
    render();
  }

  // The marks of the form, after loading and after the panel was replaced. What cannot be read stays in the form.
  function load() {
    if (!bar()) return;
    for (const eye of EYES) {
      const text = inputOf(eye)?.value || "";
      try {
        marks[eye] = text ? JSON.parse(text).filter((mark) => mark.points?.length) : [];
      } catch {
        marks[eye] = [];
      }
    }
    version = selected = null;
    undone.length = 0;
    refresh();
  }

  function show(isOn) {
    isShown = isOn;
    for (const button of document.querySelectorAll('[data-marks-do="show"]')) button.setAttribute("aria-pressed", String(isOn));
    render();
  }

  function edit(isOn) {
    isEditing = isOn;
    if (isOn) show(true);
    refresh();
  }

  /** Show the marks of one version of the reading, as it was signed; null: those of the form. */
  function showVersion(shown) {
    version = shown;
    show(true);
    refresh();
  }

  const overlayOf = (pane) => overlays.get(pane);

  document.addEventListener("viewer:rendered", render);
  document.addEventListener("focusin", (event) => {
    if (event.target.mark && event.target.hasAttribute("tabindex")) select(event.target.mark);
    else if (!event.target.closest("[data-marks-bar]")) select(null);
  });
  document.addEventListener("DOMContentLoaded", load);
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target.id === "reading-panel") load(); });
  document.addEventListener("toggle", (event) => { if (event.target.matches?.("[data-amendment]")) refresh(); }, { capture: true });

  return {
    marks, add, remove, setKind, undo, edit, show, showVersion, announce, textOf, eyeOf, overlayOf, listOf, isReadOnly, refresh,
    get selected() { return selected; },
    get isShown() { return isShown; },
    get isEditing() { return isEditing; },
    get canUndo() { return undone.length > 0; },
  };
})();

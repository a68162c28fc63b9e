// Linked movement. Between the eyes it is mirrored; between two photographs of one eye the same part of the retina is
// shown: by disc and fovea if both photographs have them, else by the field of view. Needs viewer_geometry.js.
"use strict";

window.viewerLink = (() => {
  const MAX_RATIO = 1.25; // between the scales by landmarks and by the field of view
  const MAX_ANGLE = 0.35; // radians: 20 degrees; heads and cameras tilt less

  /** The similarity from photograph to photograph, as complex numbers: point → factor × point + shift. */
  function similarity([from1, from2], [to1, to2]) {
    const [fromX, fromY] = [from2[0] - from1[0], from2[1] - from1[1]];
    const [toX, toY] = [to2[0] - to1[0], to2[1] - to1[1]];
    const length = fromX ** 2 + fromY ** 2;
    const factor = [(toX * fromX + toY * fromY) / length, (toY * fromX - toX * fromY) / length];
    const [x, y] = times(factor, from1);
    return { factor, shift: [to1[0] - x, to1[1] - y] };
  }

  const times = ([a, b], [x, y]) => [a * x - b * y, a * y + b * x];
  const sizeOf = ({ factor }) => Math.hypot(...factor);
  const angleOf = ({ factor }) => Math.atan2(factor[1], factor[0]);

  function inverse({ factor: [a, b], shift }) {
    const factor = [a / (a * a + b * b), -b / (a * a + b * b)];
    const [x, y] = times(factor, shift);
    return { factor, shift: [-x, -y] };
  }

  function applied({ factor, shift }, point) {
    const [x, y] = times(factor, point);
    return [x + shift[0], y + shift[1]];
  }

  // The middle of the retina's box, and a point at its right: its size is the mean of width and height.
  function fieldOf({ box: [left, top, right, bottom], widthPx, heightPx }) {
    const middle = [((left + right) / 2) * widthPx, ((top + bottom) / 2) * heightPx];
    const size = ((right - left) * widthPx + (bottom - top) * heightPx) / 2;
    return [middle, [middle[0] + size, middle[1]]];
  }

  const pointsOf = ({ disc, fovea }) => [[disc.x, disc.y], [fovea.x, fovea.y]];

  /** How `secondary` follows `primary`. `by`: landmarks, field (not found), misfit (suggestions differ), empty (not known yet). */
  function linkOf(primary, secondary) {
    const byField = similarity(fieldOf(primary), fieldOf(secondary));
    const [one, other] = [primary, secondary].map((pane) => window.viewerLandmarks?.of(pane));
    if (one === undefined || other === undefined) return { transform: byField, by: "" };
    if (!one || !other) return { transform: byField, by: "field" };
    const transform = similarity(pointsOf(one), pointsOf(other));
    const ratio = sizeOf(transform) / sizeOf(byField);
    const fits = ratio < MAX_RATIO && ratio > 1 / MAX_RATIO && Math.abs(angleOf(transform)) < MAX_ANGLE;
    if (!fits && !(one.isMoved && other.isMoved)) return { transform: byField, by: "misfit" };
    return { transform, by: "landmarks" };
  }

  // The box of `primary` with that of `secondary` in it: at the size of the pane, no part of a retina is hidden.
  function unionBox(primary, secondary, transform) {
    const [left, top, right, bottom] = secondary.box;
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const edges = [[left, y], [right, y], [x, top], [x, bottom]].map(([u, v]) => (
      applied(inverse(transform), [u * secondary.widthPx, v * secondary.heightPx])
    ));
    const [xs, ys] = [edges.map((edge) => edge[0] / primary.widthPx), edges.map((edge) => edge[1] / primary.heightPx)];
    const { box } = primary;
    return [Math.min(box[0], ...xs), Math.min(box[1], ...ys), Math.max(box[2], ...xs), Math.max(box[3], ...ys)];
  }

  /** Give `secondary` the position at which it shows what `primary` shows. */
  function follow(primary, secondary, transform) {
    const [x, y] = applied(transform, [primary.centre[0] * primary.widthPx, primary.centre[1] * primary.heightPx]);
    secondary.centre = [x / secondary.widthPx, y / secondary.heightPx];
    secondary.extent = null;
    secondary.zoom = primary.scale / sizeOf(transform) / secondary.fitScale;
    secondary.angle = -angleOf(transform);
  }

  /** The pane that is moved if `pane` is: the first one of its eye. */
  function primaryOf(pane, panes, isLinked) {
    return (isLinked && panes.find((one) => one.laterality === pane.laterality && one.isShown)) || pane;
  }

  /** The panes that move together with `pane`, and -1 for those of the other eye, which is its mirror image. */
  function movedWith(pane, panes, isLinked) {
    const primaries = new Set((isLinked ? panes.filter((one) => one.isShown) : [pane]).map((one) => primaryOf(one, panes, isLinked)));
    return [...primaries].map((one) => ({ pane: one, mirror: one.laterality === pane.laterality ? 1 : -1 }));
  }

  const areVisits = () => Boolean(document.querySelector("[data-layout].view-visits"));

  /** Move the second panes before they are drawn, and state how they are linked. */
  function move(panes, isLinked) {
    for (const pane of panes) {
      const primary = primaryOf(pane, panes, isLinked);
      pane.isSecondary = pane.isShown && primary !== pane;
      if (!pane.isSecondary) state(pane, "");
    }
    const links = panes.filter((one) => one.isSecondary && !one.isFixed).map((secondary) => {
      const primary = primaryOf(secondary, panes, isLinked);
      const link = areVisits() ? linkOf(primary, secondary) : { transform: similarity(fieldOf(primary), fieldOf(secondary)), by: "" };
      return Object.assign(link, { primary, secondary });
    });
    for (const pane of panes.filter((one) => one.isShown && !one.isSecondary)) {
      const link = links.find((one) => one.primary === pane);
      if (!panes.some((one) => one.isFixed)) pane.setExtent(link ? unionBox(pane, link.secondary, link.transform) : pane.box);
      pane.clamp();
    }
    for (const { primary, secondary, transform, by } of links) {
      follow(primary, secondary, transform);
      state(secondary, by);
    }
  }

  // One sentence below the photograph; "" is none.
  function state(pane, by) {
    const note = pane.root.querySelector("[data-viewer-link]");
    if (!note || note.dataset.by === by) return;
    note.dataset.by = by;
    note.hidden = !by;
    note.textContent = by ? note.dataset[by] : "";
  }

  return { move, movedWith, similarity };
})();

// The position of a photograph in its pane: zoom, centre and angle. No drawing.
"use strict";

window.viewerGeometry = (() => {
  const MAX_SCALE = 4; // screen pixels for one pixel of the photograph
  const WHOLE = [0, 0, 1, 1];

  /** Needs `window` (an element), `widthPx` and `heightPx` of the photograph. */
  class Geometry {
    box = WHOLE; // of the retina: left, top, right, bottom as fractions
    extent = null; // see setExtent
    zoom = 1; // 1: the retina fits the pane
    centre = [0.5, 0.5]; // of the pane, fractions of the photograph
    angle = 0; // radians, clockwise, about the middle of the pane
    isSecondary = false; // it shows the same part of the retina as another pane
    isFixed = false; // it stays where it is while a landmark is moved in it

    /** What fits the pane at zoom 1: the box, or one with a linked photograph in it. The enlargement stays. */
    setExtent(extent) {
      const before = this.scale;
      this.extent = extent;
      if (this.isZoomed) this.zoom *= before / this.scale;
    }

    get fitScale() {
      const [left, top, right, bottom] = this.extent || this.box;
      return Math.min(
        this.window.clientWidth / (this.widthPx * (right - left)), this.window.clientHeight / (this.heightPx * (bottom - top)),
      );
    }

    /** CSS pixels for one pixel of the photograph. */
    get scale() {
      return this.fitScale * this.zoom;
    }

    get middle() {
      return [this.window.clientWidth / 2, this.window.clientHeight / 2];
    }

    /** Left and top of the photograph in the pane, before it is rotated. */
    get origin() {
      return [
        this.middle[0] - this.centre[0] * this.widthPx * this.scale, this.middle[1] - this.centre[1] * this.heightPx * this.scale,
      ];
    }

    /** Rotates what is drawn at `origin`: a transformation for CSS, before others. */
    get rotationCss() {
      if (!this.angle) return "";
      const [x, y] = this.middle;
      return `translate(${x}px, ${y}px) rotate(${this.angle}rad) translate(${-x}px, ${-y}px) `;
    }

    rotated([x, y], angle) {
      const [middleX, middleY] = this.middle;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      return [middleX + cos * (x - middleX) - sin * (y - middleY), middleY + sin * (x - middleX) + cos * (y - middleY)];
    }

    /** The point of the pane, CSS pixels, at a point of the photograph, its pixels. */
    toPane([x, y]) {
      const [left, top] = this.origin;
      return this.rotated([left + x * this.scale, top + y * this.scale], this.angle);
    }

    /** The point of the photograph, its pixels, at a point of the pane, CSS pixels. */
    toPhoto(point) {
      const [x, y] = this.rotated(point, -this.angle);
      const [left, top] = this.origin;
      return [(x - left) / this.scale, (y - top) / this.scale];
    }

    /** The point of the photograph, its pixels, at which the pointer is. */
    pointAt(event) {
      const edge = this.window.getBoundingClientRect();
      const { clientLeft, clientTop } = this.window; // its border
      return this.toPhoto([event.clientX - edge.left - clientLeft, event.clientY - edge.top - clientTop]);
    }

    get actualZoom() {
      return 1 / (window.devicePixelRatio || 1) / this.fitScale;
    }

    get isZoomed() {
      return this.zoom > 1.001;
    }

    fit() {
      this.zoom = 1;
      const [left, top, right, bottom] = this.extent || this.box;
      this.centre = [(left + right) / 2, (top + bottom) / 2];
      this.angle = 0;
    }

    /** Multiply the zoom; the point at (fractionX, fractionY) of the pane stays fixed. */
    zoomBy(factor, fractionX = 0.5, fractionY = 0.5) {
      const before = this.scale;
      const limit = Math.max(1, this.actualZoom * MAX_SCALE);
      this.zoom = Math.min(limit, Math.max(1, this.zoom * factor));
      const after = this.scale;
      const reachX = (fractionX - 0.5) * this.window.clientWidth;
      const reachY = (fractionY - 0.5) * this.window.clientHeight;
      this.centre[0] += (reachX / before - reachX / after) / this.widthPx;
      this.centre[1] += (reachY / before - reachY / after) / this.heightPx;
    }

    /** Move the photograph by fractions of the pane. */
    panBy(fractionX, fractionY) {
      this.centre[0] -= (fractionX * this.window.clientWidth) / (this.scale * this.widthPx);
      this.centre[1] -= (fractionY * this.window.clientHeight) / (this.scale * this.heightPx);
    }

    /** Keep the retina in the pane; a secondary pane has the position of its primary one. */
    clamp() {
      if (this.isSecondary) return;
      this.angle = 0;
      if (this.zoom < 1) this.zoom = 1;
      const visible = [
        this.window.clientWidth / this.widthPx / this.scale, this.window.clientHeight / this.heightPx / this.scale,
      ];
      const extent = this.extent || this.box;
      this.centre = this.centre.map((centre, i) => {
        const half = visible[i] / 2;
        const [low, high] = [extent[i], extent[i + 2]];
        return half >= (high - low) / 2 ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, centre));
      });
    }
  }

  return { Geometry, WHOLE };
})();

// Draws a photograph without WebGL 2: a copy of screen size is adjusted by the processor, a few rows at a time.
// Needs viewer_clahe.js and viewer_retina.js.
"use strict";

window.viewerCopy = (() => {
  const SIDE_PX = 1600; // longer side of the copy
  const MIN_LIT = 24; // 0 to 255: darker pixels are the frame
  const SLICE_MS = 12; // the processor is free for keys and pointer after this time

  class Drawing {
    constructor(canvas) {
      this.canvas = canvas;
      this.hasLoupe = false;
      this.turn = 0;
      this.forget();
    }

    show(picture, tables) {
      this.forget();
      this.photo = window.viewerRetina.pixelsOf(picture, SIDE_PX);
      this.tables = tables;
    }

    forget() {
      this.turn += 1;
      this.photo = null;
      this.drawnFor = "";
      this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }

    draw({ place, box, look, rotationCss }) {
      const { canvas, photo } = this;
      const [x, y, width] = place;
      canvas.classList.add("is-copy");
      canvas.style.transform = `${rotationCss}translate(${x}px, ${y}px) scale(${width / photo.width})`;
      const wanted = JSON.stringify(look);
      if (wanted === this.drawnFor) return;
      this.drawnFor = wanted;
      this.turn += 1;
      this.compute(new ImageData(photo.width, photo.height), { ...look }, box, this.turn, 0);
    }

    // The canvas changes once, when all rows are computed: until then it shows the last adjustment.
    compute(result, look, box, turn, first) {
      if (turn !== this.turn) return;
      const end = performance.now() + SLICE_MS;
      let row = first;
      while (row < result.height && performance.now() < end) {
        this.computeRow(result, look, box, row);
        row += 1;
      }
      if (row < result.height) {
        setTimeout(() => this.compute(result, look, box, turn, row));
        return;
      }
      const { canvas } = this;
      if (canvas.width !== result.width || canvas.height !== result.height) {
        [canvas.width, canvas.height] = [result.width, result.height];
      }
      canvas.getContext("2d").putImageData(result, 0, 0);
    }

    computeRow({ width, height, data }, look, box, row) {
      const { photo, tables } = this;
      const v = ((row + 0.5) / height - box[1]) / (box[3] - box[1]);
      for (let x = 0; x < width; x += 1) {
        const at = 4 * (row * width + x);
        const green = photo.data[at + 1];
        const u = ((x + 0.5) / width - box[0]) / (box[2] - box[0]);
        const grey = look.isRedFree && look.isLocal ? window.viewerClahe.equalise(tables, green, u, v) : green;
        const isFrame = Math.max(photo.data[at], green, photo.data[at + 2]) < MIN_LIT; // it stays dark if inverted
        for (let c = 0; c < 3; c += 1) {
          data[at + c] = adjusted(look, look.isRedFree ? grey : photo.data[at + c], look.isInverted && !isFrame);
        }
        data[at + 3] = 255;
      }
    }
  }

  function adjusted(look, level, isInverted) {
    const lit = ((level / 255) * (look.brightness / 100) - 0.5) * (look.contrast / 100) + 0.5;
    const value = Math.min(1, Math.max(0, lit)) ** (100 / look.gamma);
    return 255 * (isInverted ? 1 - value : value);
  }

  return { Drawing };
})();

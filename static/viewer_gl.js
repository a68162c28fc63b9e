// Draws a photograph in its pane with WebGL 2: position, brightness, contrast, gamma, red-free with local contrast,
// inverted, loupe. The whole photograph is loaded in strips, so that no task is long. Needs viewer_clahe.js.
"use strict";

window.viewerGl = (() => {
  const STRIP_PX = 256; // rows that are copied to the graphics memory at once
  const VERTEX = `#version 300 es
    out vec2 at;
    void main() {
      vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
      at = vec2(corner.x, 1.0 - corner.y);
      gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
    }`;
  const FRAGMENT = `#version 300 es
    precision highp float;
    in vec2 at;
    out vec4 colour;
    uniform sampler2D photo;
    uniform sampler2D tables; // a row for each tile
    uniform vec2 pane;        // size, CSS pixels
    uniform vec4 place;       // left, top, width, height of the photograph in the pane
    uniform vec4 box;         // of the retina: left, top, right, bottom as fractions
    uniform vec3 loupe;       // centre and radius, CSS pixels; radius 0: none
    uniform float enlarged;   // by the loupe
    uniform float brightness;
    uniform float contrast;
    uniform float gamma;
    uniform bool isRedFree;
    uniform bool isLocal;
    uniform bool isInverted;
    const int TILES = ${window.viewerClahe.TILES};
    float look(int level, int column, int row) {
      return texelFetch(tables, ivec2(level, min(row, TILES - 1) * TILES + min(column, TILES - 1)), 0).r;
    }
    float equalised(float green, vec2 uv) {
      vec2 tile = clamp((uv - box.xy) / (box.zw - box.xy) * float(TILES) - 0.5, 0.0, float(TILES - 1));
      ivec2 low = ivec2(floor(tile));
      vec2 part = fract(tile);
      int level = int(green * 255.0 + 0.5);
      float upper = mix(look(level, low.x, low.y), look(level, low.x + 1, low.y), part.x);
      float lower = mix(look(level, low.x, low.y + 1), look(level, low.x + 1, low.y + 1), part.x);
      return mix(upper, lower, part.y);
    }
    void main() {
      vec2 point = at * pane;
      float reach = distance(point, loupe.xy);
      if (loupe.z > 0.0 && reach < loupe.z) {
        if (reach > loupe.z - 2.0) { colour = vec4(1.0); return; }
        point = loupe.xy + (point - loupe.xy) / enlarged;
      }
      vec2 uv = (point - place.xy) / place.zw;
      vec3 c = texture(photo, uv).rgb;
      bool isFrame = max(c.r, max(c.g, c.b)) < 0.09; // it stays dark in the inverted view
      if (isRedFree) c = vec3(isLocal ? equalised(c.g, uv) : c.g);
      c = clamp((c * brightness - 0.5) * contrast + 0.5, 0.0, 1.0);
      c = pow(c, vec3(1.0 / gamma));
      if (isInverted && !isFrame) c = 1.0 - c;
      colour = any(lessThan(uv, vec2(0.0))) || any(greaterThan(uv, vec2(1.0))) ? vec4(0.0, 0.0, 0.0, 1.0) : vec4(c, 1.0);
    }`;

  class Drawing {
    constructor(canvas) {
      this.canvas = canvas;
      this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false });
      this.program = this.link();
      this.photo = null;
      this.whole = null;
      this.tables = null;
      this.hasLoupe = true;
      this.wholeFor = ""; // address that is loaded
      this.turn = 0; // answers for an earlier photograph are ignored
      canvas.addEventListener("webglcontextlost", () => { this.isLost = true; });
    }

    link() {
      const { gl } = this;
      const program = gl.createProgram();
      for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, source);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
      gl.useProgram(program);
      return program;
    }

    texture(minified) {
      const { gl } = this;
      const texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, minified);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, minified === gl.NEAREST ? gl.NEAREST : gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      return texture;
    }

    /** Show a loaded picture of screen size; `tables` are those of its local contrast. */
    show(picture, tables) {
      const { gl } = this;
      this.forget();
      this.photo = this.texture(gl.LINEAR_MIPMAP_LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
      gl.generateMipmap(gl.TEXTURE_2D);
      this.tables = this.texture(gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, 256, window.viewerClahe.TILES ** 2, 0, gl.RED, gl.UNSIGNED_BYTE, tables);
    }

    forget() {
      this.turn += 1;
      this.wholeFor = "";
      for (const name of ["photo", "whole", "tables"]) {
        if (this[name]) this.gl.deleteTexture(this[name]);
        this[name] = null;
      }
    }

    /** Load the whole photograph; one that the graphics memory does not take is reduced. */
    async loadWhole(url, widthPx, heightPx) {
      if (!url || this.wholeFor === url) return;
      this.wholeFor = url;
      const { gl, turn } = this;
      const factor = Math.min(1, gl.getParameter(gl.MAX_TEXTURE_SIZE) / Math.max(widthPx, heightPx));
      const [width, height] = [Math.floor(widthPx * factor), Math.floor(heightPx * factor)];
      const response = await fetch(url).catch(() => null);
      if (!response?.ok) {
        this.wholeFor = ""; // tried again at the next movement
        return;
      }
      const sizes = { resizeWidth: width, resizeHeight: height };
      const picture = await createImageBitmap(await response.blob(), factor < 1 ? sizes : {});
      if (turn !== this.turn) return;
      const whole = this.texture(gl.LINEAR);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
      await this.copyStrips(picture, whole, 0);
      picture.close();
      if (turn !== this.turn) {
        gl.deleteTexture(whole);
        return;
      }
      this.whole = whole;
      window.viewer.schedule();
    }

    // One strip a frame, so that no task is long.
    async copyStrips(picture, whole, y) {
      const { gl, turn } = this;
      if (y >= picture.height) return;
      const strip = await createImageBitmap(picture, 0, y, picture.width, Math.min(STRIP_PX, picture.height - y));
      await new Promise(requestAnimationFrame);
      if (turn !== this.turn) return;
      gl.bindTexture(gl.TEXTURE_2D, whole);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, y, gl.RGBA, gl.UNSIGNED_BYTE, strip);
      strip.close();
      await this.copyStrips(picture, whole, y + STRIP_PX);
    }

    set(name, ...values) {
      const place = this.gl.getUniformLocation(this.program, name);
      this.gl[`uniform${values.length}f`](place, ...values);
    }

    flag(name, value) {
      this.gl.uniform1i(this.gl.getUniformLocation(this.program, name), Number(value));
    }

    /** Draw: `place` left, top, width, height in CSS pixels; `look` the adjustments; `loupe` x, y, radius, factor or null. */
    draw({ width, height, place, box, look, loupe, needsWhole }) {
      const { gl, canvas } = this;
      const ratio = window.devicePixelRatio || 1;
      const size = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
      gl.viewport(0, 0, ...size);
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, this.tables);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, (needsWhole && this.whole) || this.photo);
      this.flag("photo", 0);
      this.flag("tables", 1);
      this.set("pane", width, height);
      this.set("place", ...place);
      this.set("box", ...box);
      this.set("loupe", ...(loupe ? loupe.slice(0, 3) : [0, 0, 0]));
      this.set("enlarged", loupe ? loupe[3] : 1);
      this.set("brightness", look.brightness / 100);
      this.set("contrast", look.contrast / 100);
      this.set("gamma", look.gamma / 100);
      for (const name of ["isRedFree", "isLocal", "isInverted"]) this.flag(name, look[name]);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }

  // Without a graphics card each drawing would block the page for long: then viewer_copy.js is better.
  function isFast() {
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
    const names = gl?.getExtension("WEBGL_debug_renderer_info");
    const renderer = names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
    return Boolean(gl) && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
  }

  return { Drawing, isFast: isFast() };
})();

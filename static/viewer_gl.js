// Draws a photograph in its pane with WebGL 2: position, brightness, contrast, gamma, red-free with local contrast,
// inverted, loupe. Tiles of the photograph's own resolution are drawn over the copy. Needs viewer_clahe.js and viewer_retina.js.
"use strict";

window.viewerGl = (() => {
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
    uniform sampler2D photo;  // or a tile of it
    uniform vec4 part;        // of the photograph that it shows: left, top, width, height as fractions
    uniform sampler2D tables; // a row for each tile
    uniform vec2 pane;        // size, CSS pixels
    uniform vec4 place;       // left, top, width, height of the photograph in the pane
    uniform vec2 rotation;      // cosine and sine of the angle by which the photograph is rotated about the middle
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
      vec2 away = point - pane / 2.0;
      point = pane / 2.0 + vec2(rotation.x * away.x + rotation.y * away.y, rotation.x * away.y - rotation.y * away.x);
      vec2 uv = (point - place.xy) / place.zw;
      vec2 inPart = (uv - part.xy) / part.zw;
      bool isOutside = any(lessThan(inPart, vec2(0.0))) || any(greaterThan(inPart, vec2(1.0)));
      if (isOutside && part.z < 1.0) discard;
      vec3 c = texture(photo, inPart).rgb;
      bool isFrame = max(c.r, max(c.g, c.b)) < 0.09; // it stays dark in the inverted view
      if (isRedFree) c = vec3(isLocal ? equalised(c.g, uv) : c.g);
      c = clamp((c * brightness - 0.5) * contrast + 0.5, 0.0, 1.0);
      c = pow(c, vec3(1.0 / gamma));
      if (isInverted && !isFrame) c = 1.0 - c;
      colour = isOutside ? vec4(0.0, 0.0, 0.0, 1.0) : vec4(c, 1.0);
    }`;

  class Drawing {
    constructor(canvas) {
      this.canvas = canvas;
      this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false });
      this.program = this.link();
      this.photo = null;
      this.tiles = new Map(); // textures by key
      this.tables = null;
      this.hasLoupe = true;
      canvas.addEventListener("webglcontextlost", () => {
        this.isLost = true;
        window.viewer.schedule();
      });
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
      this.dropTiles([]);
      for (const name of ["photo", "tables"]) {
        if (this[name]) this.gl.deleteTexture(this[name]);
        this[name] = null;
      }
    }

    // A tile is copied to the graphics memory when it is first drawn: one in a frame, so that no task is long.
    textureOf({ key, image }) {
      const { gl } = this;
      if (this.tiles.has(key) || this.isCopied) return this.tiles.get(key);
      this.isCopied = true;
      const texture = this.texture(gl.LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
      this.tiles.set(key, texture);
      return texture;
    }

    dropTiles(kept) {
      for (const [key, texture] of this.tiles) {
        if (kept.some((tile) => tile.key === key)) continue;
        this.gl.deleteTexture(texture);
        this.tiles.delete(key);
      }
    }

    set(name, ...values) {
      const place = this.gl.getUniformLocation(this.program, name);
      this.gl[`uniform${values.length}f`](place, ...values);
    }

    flag(name, value) {
      this.gl.uniform1i(this.gl.getUniformLocation(this.program, name), Number(value));
    }

    /** Draw: `place` left, top, width, height in CSS pixels; `angle` radians; `look` the adjustments; `loupe` x, y, radius, factor or null. */
    draw({ width, height, place, angle, box, look, loupe, tiles, photoPx }) {
      const { gl, canvas } = this;
      const ratio = window.devicePixelRatio || 1;
      const size = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
      gl.viewport(0, 0, ...size);
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, this.tables);
      gl.activeTexture(gl.TEXTURE0);
      this.flag("photo", 0);
      this.flag("tables", 1);
      this.set("pane", width, height);
      this.set("place", ...place);
      this.set("rotation", Math.cos(angle), Math.sin(angle));
      this.set("box", ...box);
      this.set("loupe", ...(loupe ? loupe.slice(0, 3) : [0, 0, 0]));
      this.set("enlarged", loupe ? loupe[3] : 1);
      this.set("brightness", look.brightness / 100);
      this.set("contrast", look.contrast / 100);
      this.set("gamma", look.gamma / 100);
      for (const name of ["isRedFree", "isLocal", "isInverted"]) this.flag(name, look[name]);
      this.drawPart(this.photo, [0, 0, 1, 1]);
      this.isCopied = false;
      for (const tile of tiles) {
        const texture = this.textureOf(tile);
        const [left, top, across, down] = tile.box;
        const [widthPx, heightPx] = photoPx;
        if (texture) this.drawPart(texture, [left / widthPx, top / heightPx, across / widthPx, down / heightPx]);
      }
      this.dropTiles(tiles);
      if (tiles.some((tile) => !this.tiles.has(tile.key))) window.viewer.schedule();
    }

    drawPart(texture, part) {
      const { gl } = this;
      gl.bindTexture(gl.TEXTURE_2D, texture);
      this.set("part", ...part);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }

  // Without a graphics card each drawing would block the page for long: then viewer_copy.js is better.
  function isFast() {
    if (!window.viewerRetina.canRead) return false;
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
    const names = gl?.getExtension("WEBGL_debug_renderer_info");
    const renderer = names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
    return Boolean(gl) && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
  }

  return { Drawing, isFast: isFast() };
})();

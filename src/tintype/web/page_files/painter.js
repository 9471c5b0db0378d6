// Paints the photograph with its colours, at whatever zoom. Colour is ab = A L + B, where A and B come from the server at
// four temperatures, an octave apart, and are mixed here whenever vividness changes; so sliders need no server. The maths
// of Lab and of the gamut is that of the server's own pictures (runtime/paint.py).

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D grey, colours, entropy;
uniform vec2 size, canvas, centre, guideExtent;
uniform float zoom, saturation, split, unsure;
out vec4 shown;

const vec3 WHITE = vec3(0.95047, 1.0, 1.08883);
const mat3 TO_RGB = transpose(mat3(3.240481343200527, -1.5371515162713187, -0.49853632616888785,
  -0.9692549499965687, 1.8759900014898907, 0.04155592655829284,
  0.05564663913517717, -0.20404133836651123, 1.0573110696453443));

float linear(float v) { return v > 0.04045 ? pow((v + 0.055) / 1.055, 2.4) : v / 12.92; }
vec3 encoded(vec3 v) { return mix(12.92 * v, 1.055 * pow(max(v, 1e-9), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, v)); }
float f(float t) { return t > 0.008856451679 ? pow(t, 1.0 / 3.0) : 7.787037037 * t + 16.0 / 116.0; }
float cube(float t) { return t > 6.0 / 29.0 ? t * t * t : (t - 16.0 / 116.0) / 7.787037037; }

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, canvas.y - gl_FragCoord.y);
  vec2 place = (pixel - 0.5 * canvas) / zoom + centre;
  if (any(lessThan(place, vec2(0))) || any(greaterThan(place, size))) { shown = vec4(0); return; }
  float level = texture(grey, place / size).r;
  if (pixel.x < split) { shown = vec4(vec3(level), 1); return; }

  float y = linear(level), L = 116.0 * f(y) - 16.0;
  vec4 line = texture(colours, place / guideExtent);
  vec2 ab = saturation * (line.xy * L + line.zw);
  float fy = (L + 16.0) / 116.0;
  vec3 rgb = TO_RGB * (WHITE * vec3(cube(fy + ab.x / 500.0), y, cube(fy - ab.y / 200.0)));
  float over = max(max(rgb.r, max(rgb.g, rgb.b)) - y, 1e-5), under = max(y - min(rgb.r, min(rgb.g, rgb.b)), 1e-5);
  rgb = mix(vec3(y), rgb, clamp(min((1.0 - y) / over, y / under), 0.0, 1.0));
  vec3 colour = encoded(clamp(rgb, 0.0, 1.0));
  if (unsure > 0.5) {
    float doubt = texture(entropy, place / size).r;
    colour = mix(vec3(0.25 + 0.6 * level), vec3(0.95, 0.35, 0.0), smoothstep(0.4, 0.85, doubt) * 0.85);
  }
  shown = vec4(colour, 1);
}`;

const TEXTURES = ["grey", "colours", "entropy"];
const TEMPERATURES = 4;

/** The number that each half float stands for. */
const halves = Float32Array.from({ length: 65536 }, (_, bits) => {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return (bits >> 15 ? -1 : 1) * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
});

export class Painter {
  /** Null where the browser has no WebGL 2. */
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, preserveDrawingBuffer: false });
    return gl && new Painter(canvas, gl);
  }

  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.begin();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  }

  /** Makes what the context holds; to be called again, and all to be put again, when it was lost and came back. */
  begin() {
    const gl = this.gl;
    this.ready = { photograph: false, colours: false };
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = new Proxy({}, { get: (known, name) => (known[name] ??= gl.getUniformLocation(program, name)) });
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    TEXTURES.forEach((name, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.LINEAR);
      gl.uniform1i(this.at[name], unit);
    });
  }

  select(name) {
    this.gl.activeTexture(this.gl.TEXTURE0 + TEXTURES.indexOf(name));
  }

  /** @param {Blob} blob grey, 8 bits */
  async putPhotograph(blob, width, height, stillWanted) {
    const gl = this.gl;
    if (gl.isContextLost()) return; // all is put again when it comes back
    const most = gl.getParameter(gl.MAX_TEXTURE_SIZE), share = Math.min(1, most / Math.max(width, height));
    const resize = share < 1 ? { resizeWidth: Math.round(width * share), resizeHeight: Math.round(height * share), resizeQuality: "high" } : {};
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none", ...resize });
    if (stillWanted()) {
      this.select("grey");
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, gl.RED, gl.UNSIGNED_BYTE, bitmap);
      gl.generateMipmap(gl.TEXTURE_2D);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
      this.size = [width, height];
      this.ready = { photograph: true, colours: false };
    }
    bitmap.close();
  }

  /** @param {Uint16Array} bits half floats, as `server.colours` gives them */
  putColours(bits, { guide, own }) {
    const length = bits.length / TEMPERATURES;
    const all = new Float32Array(bits.length);
    for (let i = 0; i < bits.length; i++) all[i] = halves[bits[i]];
    this.lines = Array.from({ length: TEMPERATURES }, (_, i) => all.subarray(i * length, (i + 1) * length));
    Object.assign(this, { guide, own, mixed: null });
    this.guideExtent = [guide.width * guide.factor, guide.height * guide.factor];
    this.ready.colours = true;
  }

  /** Puts A and B at a temperature between those that the server sent. */
  mix(vividness) {
    if (this.mixed === vividness) return;
    const gl = this.gl, place = Math.min(Math.max(this.own + vividness, 0), TEMPERATURES - 1);
    const first = Math.min(Math.floor(place), TEMPERATURES - 2), way = place - first;
    const low = this.lines[first], high = this.lines[first + 1], line = new Float32Array(low.length);
    for (let i = 0; i < line.length; i++) line[i] = low[i] + way * (high[i] - low[i]);
    this.select("colours");
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, this.guide.width, this.guide.height, 0, gl.RGBA, gl.FLOAT, line);
    this.mixed = vividness;
  }

  putEntropy({ width, height, levels }) {
    this.select("entropy");
    this.gl.texImage2D(this.gl.TEXTURE_2D, 0, this.gl.R8, width, height, 0, this.gl.RED, this.gl.UNSIGNED_BYTE, levels);
  }

  /**
   * @param {{zoom: number, x: number, y: number}} view pixels of the canvas for one of the photograph, and what is in the middle
   * @param {{vividness: number, saturation: number}} choices vividness in octaves of temperature from the model's own
   * @param {number} split pixels from the left that stay grey
   */
  draw(view, choices, split, unsure) {
    const gl = this.gl;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    if (!this.ready.photograph) {
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      return;
    }
    const guide = this.guideExtent ?? this.size;
    gl.uniform2f(this.at.size, ...this.size);
    gl.uniform2f(this.at.canvas, this.canvas.width, this.canvas.height);
    gl.uniform2f(this.at.centre, view.x, view.y);
    gl.uniform2f(this.at.guideExtent, ...guide);
    gl.uniform1f(this.at.zoom, view.zoom);
    gl.uniform1f(this.at.saturation, choices.saturation);
    gl.uniform1f(this.at.split, this.ready.colours ? split : Infinity);
    gl.uniform1f(this.at.unsure, unsure ? 1 : 0);
    if (this.ready.colours) this.mix(choices.vividness);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

// Zooming and moving the photograph: with wheel, drag, two fingers and keys.

const MOST = 16; // screen pixels for one of the photograph
const STILL = 6; // CSS pixels that a pointer may move and still be a click

export class View {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{changed: () => void, clicked: (y: number, x: number) => void}} told a click's place is in shares of the photograph
   */
  constructor(canvas, told) {
    Object.assign(this, { canvas, told, width: 1, height: 1, zoom: 1, x: 0.5, y: 0.5, ratio: 1, fitting: true, pointers: new Map() });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => this.up(event));
    const sizes = new ResizeObserver(() => this.resize());
    try {
      sizes.observe(canvas, { box: "device-pixel-content-box" }); // on another screen too, where CSS pixels stay as many
    } catch {
      sizes.observe(canvas); // Safari
    }
  }

  /** A photograph of this size, all of it. */
  open(width, height) {
    Object.assign(this, { width, height });
    this.fit();
  }

  resize() {
    this.ratio = devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * this.ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * this.ratio));
    if (this.fitting) this.fit();
    else this.set(this.zoom);
  }

  get smallest() {
    return Math.min(this.canvas.width / this.width, this.canvas.height / this.height);
  }

  fit() {
    Object.assign(this, { zoom: this.smallest, x: this.width / 2, y: this.height / 2, fitting: true });
    this.told.changed();
  }

  /** Zooms, so that a place of the canvas (its own pixels, the middle if left out) keeps what it shows. */
  set(zoom, at = [this.canvas.width / 2, this.canvas.height / 2]) {
    const [x, y] = this.photograph(at);
    this.zoom = Math.min(Math.max(zoom, Math.min(1, this.smallest)), Math.max(MOST, this.smallest));
    this.fitting = this.zoom === this.smallest;
    this.x = x - (at[0] - this.canvas.width / 2) / this.zoom;
    this.y = y - (at[1] - this.canvas.height / 2) / this.zoom;
    this.hold();
    this.told.changed();
  }

  /** Moves the photograph by pixels of the canvas. */
  shift(across, down) {
    this.x -= across / this.zoom;
    this.y -= down / this.zoom;
    this.hold();
    this.told.changed();
  }

  /** Keeps it from leaving the canvas. */
  hold() {
    for (const [axis, length, room] of [["x", this.width, this.canvas.width], ["y", this.height, this.canvas.height]]) {
      const half = room / this.zoom / 2;
      this[axis] = 2 * half >= length ? length / 2 : Math.min(Math.max(this[axis], half), length - half);
    }
  }

  /** Moves just as far as is needed for a place of the photograph, in shares, to be seen. */
  reveal(y, x) {
    for (const [axis, place, room] of [["x", x * this.width, this.canvas.width], ["y", y * this.height, this.canvas.height]]) {
      const half = (0.45 * room) / this.zoom;
      this[axis] = Math.min(Math.max(this[axis], place - half), place + half);
    }
    this.hold();
    this.told.changed();
  }

  /** From pixels of the canvas to the photograph's. */
  photograph([across, down]) {
    return [this.x + (across - this.canvas.width / 2) / this.zoom, this.y + (down - this.canvas.height / 2) / this.zoom];
  }

  /** From shares of the photograph to CSS pixels in the canvas's box. */
  place(y, x) {
    return [
      ((x * this.width - this.x) * this.zoom + this.canvas.width / 2) / this.ratio,
      ((y * this.height - this.y) * this.zoom + this.canvas.height / 2) / this.ratio,
    ];
  }

  /** Where the photograph lies on the canvas: left and right edge in CSS pixels, no further than the canvas. */
  get edges() {
    return [Math.max(0, this.place(0, 0)[0]), Math.min(this.canvas.clientWidth, this.place(0, 1)[0])];
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    this.set(this.zoom * 2 ** (-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), this.at(event));
  }

  down(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.at(event));
    this.moved = this.pointers.size > 1 ? Infinity : 0;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.at(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const apart = (from) => Math.hypot(from[0] - other[0], from[1] - other[1]);
      const middle = (from) => [(from[0] + other[0]) / 2, (from[1] + other[1]) / 2];
      this.set((this.zoom * Math.max(1, apart(now))) / Math.max(1, apart(before)), middle(now));
      this.shift(middle(now)[0] - middle(before)[0], middle(now)[1] - middle(before)[1]);
      return;
    }
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]) / this.ratio;
    if (this.moved > STILL) this.shift(now[0] - before[0], now[1] - before[1]);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || event.type === "pointercancel" || this.moved > STILL) return;
    const [x, y] = this.photograph(this.at(event));
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.told.clicked(y / this.height, x / this.width);
  }
}

// The canvas and what lies on it: zooming, the handle between before and after, the cross that keys move.

import { $, desk, say } from "./desk.js";
import { Painter } from "./painter.js";
import { View } from "./view.js";
import { words } from "./words.js";

const STEP = 0.02, LONG_STEP = 0.1; // of the cross, in shares of the photograph's longer side
const KNOB = 28; // CSS pixels that the handle keeps from the edges, where a phone's own gestures begin

let split = 0; // share of the photograph, from the left, that is shown as it was
let cross = null; // the place that the keys are at, (y, x) in shares

export const painter = Painter.on($("canvas"));

let asked = false;
export function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

export const view = new View($("canvas"), { changed: redraw, clicked: ask });

export function draw() {
  if (!desk.current) return;
  $("working").hidden = !["waiting", "working"].includes(desk.current.state);
  const [left, right] = view.edges, at = left + split * (right - left);
  painter?.draw(view, desk.current.now, split ? at * view.ratio : -1, $("unsure").checked);
  $("split").hidden = !painter?.ready.photograph;
  $("split").style.left = `${at}px`;
  const room = $("stage").clientWidth - KNOB, knob = Math.min(Math.max(at, KNOB), room);
  $("split").style.setProperty("--knob", `${knob - at}px`);
  $("split").setAttribute("aria-valuenow", String(Math.round(100 * split)));
  $("before").hidden = at < 80 || !split;
  $("after").hidden = right - at < 80 || !split;
  $("before").style.left = `${Math.max(left, at - 8) - $("before").offsetWidth}px`;
  $("after").style.left = `${at + 8}px`;
  $("zoom-now").textContent = `${Math.round(100 * view.zoom)} %`;
  showCross();
  [...$("marks").children].forEach((mark, i) => {
    const hint = desk.current.now.hints[i];
    [mark.style.top, mark.style.left] = place(hint.y, hint.x);
  });
}

const place = (y, x) => view.place(y, x).reverse().map((length) => `${length}px`);

/** Asks for the colour of a place, which hints.js answers. */
function ask(y, x) {
  $("canvas").dispatchEvent(new CustomEvent("place", { detail: { y, x } }));
}

export function putCross(there) {
  cross = there;
  showCross();
}

function showCross() {
  if (cross) [$("cross").style.top, $("cross").style.left] = place(cross.y, cross.x);
  $("cross").hidden = !cross;
}

/** Shows nothing, until there is another photograph. */
export function blank() {
  putCross(null);
  if (painter) painter.ready = { photograph: false, colours: false };
}

$("zoom-in").addEventListener("click", () => view.set(view.zoom * 1.5));
$("zoom-out").addEventListener("click", () => view.set(view.zoom / 1.5));
$("zoom-fit").addEventListener("click", () => view.fit());
$("zoom-real").addEventListener("click", () => view.set(1));

function setSplit(share) {
  split = Math.min(1, Math.max(0, share));
  redraw();
}

$("split").addEventListener("pointerdown", (event) => $("split").setPointerCapture(event.pointerId));
$("split").addEventListener("pointermove", (event) => {
  if (!$("split").hasPointerCapture(event.pointerId)) return;
  const [left, right] = view.edges, box = $("stage").getBoundingClientRect();
  setSplit((event.clientX - box.left - left) / (right - left));
});
$("split").addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: split - 0.05, ArrowRight: split + 0.05, Home: 0, End: 1 };
  if (!(event.key in ways)) return;
  event.preventDefault();
  setSplit(ways[event.key]);
});

$("canvas").addEventListener("keydown", (event) => {
  if (!desk.current || event.ctrlKey || event.metaKey) return;
  const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (way && event.shiftKey) view.shift(-way[1] * LONG_STEP * $("canvas").width, -way[0] * LONG_STEP * $("canvas").height);
  else if (way) {
    const longer = Math.max(view.width, view.height) * STEP;
    cross ??= { y: 0.5, x: 0.5 };
    cross = { y: inside(cross.y + (way[0] * longer) / view.height), x: inside(cross.x + (way[1] * longer) / view.width) };
    view.reveal(cross.y, cross.x);
    say(words.crossAt(Math.round(100 * cross.x), Math.round(100 * cross.y)), true);
  } else if (event.key === "Enter" && cross) ask(cross.y, cross.x);
  else if (event.key === "Escape") cross = null;
  else if (event.key === "+" || event.key === "=") view.set(view.zoom * 1.5);
  else if (event.key === "-") view.set(view.zoom / 1.5);
  else if (event.key === "0") view.fit();
  else return;
  event.preventDefault();
  redraw();
});

const inside = (share) => Math.min(Math.max(share, 0), 0.9999);

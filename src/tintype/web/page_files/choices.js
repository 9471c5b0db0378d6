// What is chosen for the photograph that is looked at: sliders, possibilities, undo.

import { $, desk, failed } from "./desk.js";
import * as server from "./server.js";
import { draw, painter, redraw } from "./stage.js";
import { thumbnail } from "./strip.js";
import { words } from "./words.js";

const ONE_STEP = 1000; // milliseconds within which moves of a slider are one step to undo

export function choose(changes, goingOn = false) {
  desk.current.choose(changes, goingOn);
  changed();
}

/** The current choices are others than before. */
function changed() {
  showChoices();
  refresh();
}

let refreshing = null;
/** Has the server's colours follow the choices: one question at a time, the last one always answered. */
export async function refresh() {
  const photograph = desk.current, wanted = JSON.stringify(photograph.coloured);
  redraw();
  clearTimeout(photograph.later);
  photograph.later = setTimeout(() => photograph.state === "done" && thumbnail(photograph).catch(failed), 400);
  if (photograph.state !== "done" || photograph.painted === wanted || !painter) return;
  if (refreshing === photograph) return;
  refreshing = photograph;
  try {
    while (photograph === desk.current && photograph.painted !== JSON.stringify(photograph.coloured)) {
      const asked = JSON.stringify(photograph.coloured);
      const colours = await photograph.ask((name) => server.colours(name, photograph.coloured));
      if (photograph !== desk.current) break;
      painter.putColours(colours, photograph.known);
      photograph.painted = asked;
      draw();
      performance.mark("refreshed");
    }
  } catch (error) {
    failed(error);
  } finally {
    if (refreshing === photograph) refreshing = null;
  }
}

/** Shows them; hints.js does the rest at "chosen". */
export function showChoices() {
  const { now, past, future } = desk.current;
  const own = desk.current.known?.own ?? 2;
  Object.assign($("vividness"), { min: -own, max: 3 - own, value: now.vividness });
  $("saturation").value = now.saturation;
  const focused = document.activeElement;
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  if (focused.disabled) $(focused === $("undo") ? "redo" : "undo").focus(); // keys would be lost with the focus
  $("negative").checked = desk.current.negative;
  $("as-is").checked = desk.current.asIs;
  for (const input of $("alternatives").querySelectorAll("input")) input.checked = input.value === String(now.alternative ?? "");
  dispatchEvent(new Event("chosen"));
}

export function showAlternatives(pictures) {
  $("alternatives").replaceChildren(
    ...pictures.map((picture, i) => {
      const choice = document.createElement("label"), input = document.createElement("input"), image = document.createElement("img");
      Object.assign(input, { type: "radio", name: "alternative", value: i ? String(i - 1) : "", className: "unseen" });
      image.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type: "image/jpeg" }));
      image.draggable = false;
      image.alt = i ? words.possibility(i) : words.asUsual;
      image.addEventListener("load", () => URL.revokeObjectURL(image.src));
      input.addEventListener("change", () => choose({ alternative: i ? i - 1 : null }));
      choice.append(input, image);
      return choice;
    }),
  );
  showChoices();
}

for (const name of ["vividness", "saturation"]) {
  let before = null, last = {};
  $(name).addEventListener("input", () => {
    before ??= desk.current.now;
    desk.current.now = { ...desk.current.now, [name]: Number($(name).value) };
    draw();
    performance.mark("slid");
  });
  $(name).addEventListener("change", () => {
    if (!before) return;
    const changes = { [name]: desk.current.now[name] };
    const goingOn = last.made === before && performance.now() - last.at < ONE_STEP;
    desk.current.now = before;
    before = null;
    choose(changes, goingOn);
    last = { made: desk.current.now, at: performance.now() };
  });
}

function undo() {
  desk.current.undo();
  changed();
}

function redo() {
  desk.current.redo();
  changed();
}

$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("reset").addEventListener("click", () => {
  if (desk.current.now.vividness !== 0 || desk.current.now.saturation !== 1) choose({ vividness: 0, saturation: 1 });
});
$("unsure").addEventListener("change", () => {
  $("legend").hidden = !$("unsure").checked;
  redraw();
});

addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || !desk.current || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  (event.shiftKey ? redo : undo)();
});

// The album: taking photographs up, colorizing them one after the other, looking at one, taking it away.

import { Photograph } from "./album.js";
import { refresh, showAlternatives, showChoices } from "./choices.js";
import { $, back, desk, failed, say } from "./desk.js";
import { fillFormats } from "./saving.js";
import * as server from "./server.js";
import { blank, draw, painter, redraw, view } from "./stage.js";
import { place, thumbnail, told } from "./strip.js";
import { words } from "./words.js";

const PAUSE = 2000; // milliseconds until a server that did not answer is asked again
const HIDDEN = /(^|\/)\.[^/]*$/; // as macOS leaves beside photographs
const PHOTOGRAPH = /\.(jpe?g|png|tiff?|webp|bmp|gif|heic|heif|avif|dng|nef|cr2|cr3|arw|orf|rw2|raf|pef|srw)$/i;

export function add(files) {
  const found = files.filter(([file, path]) => !HIDDEN.test(path) && (file.type.startsWith("image/") || PHOTOGRAPH.test(path)));
  if (!found.length) return say(words.noneFound);
  say("");
  for (const [file, path] of found) enter(new Photograph(file, path));
}

function enter(photograph, after = desk.album.length) {
  desk.album.splice(after, 0, photograph);
  place(photograph, after, select);
  $("empty").hidden = true;
  for (const id of ["viewer", "panel", "strip"]) $(id).hidden = false;
  if (!desk.current) select(photograph);
  work();
}

let busy = false;
/** Colorizes what waits: first the one that is looked at. */
async function work() {
  if (busy) return;
  busy = true;
  const waiting = () => (desk.current?.state === "waiting" ? desk.current : desk.album.find((one) => one.state === "waiting"));
  for (let next; (next = waiting()); ) {
    await colorize(next);
    if (desk.away) await new Promise((done) => setTimeout(done, PAUSE));
  }
  busy = false;
  if (desk.album.length) say(words.progress(desk.album.filter((one) => one.state === "done").length, desk.album.length), true);
}

async function colorize(photograph) {
  photograph.state = "working";
  told(photograph);
  try {
    const known = await photograph.begin();
    back();
    if (photograph.gone || photograph.state !== "working") return server.forget(known.name); // removed, or begun otherwise
    photograph.state = "done";
    if (known.pages > 1 && photograph.page === 0 && !photograph.spread) {
      photograph.spread = true;
      for (let page = 1; page < known.pages; page++) enter(new Photograph(photograph.file, photograph.path, page), desk.album.indexOf(photograph) + page);
    }
    if (photograph === desk.current) await open();
    await thumbnail(photograph);
    if (photograph === desk.current) say(words.done(photograph.name), true);
  } catch (error) {
    if (photograph.gone || photograph.state === "waiting") return;
    if (error.passing) {
      photograph.state = "waiting";
      desk.away = true;
    } else {
      photograph.state = "failed";
      photograph.error = error.message;
    }
    if (desk.away || photograph === desk.current) failed(error);
  }
  told(photograph);
}

let fitted = null;
/** Shows all of another photograph; leaves the view alone where it is the same. */
function fit(photograph) {
  if (fitted === photograph) return;
  fitted = photograph;
  view.open(photograph.known.width, photograph.known.height);
}

function select(photograph) {
  const before = desk.current;
  desk.current = photograph;
  if (before) told(before);
  told(photograph);
  photograph.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  $("canvas").setAttribute("aria-label", photograph.name);
  blank();
  if (photograph.known) fit(photograph);
  if (!desk.away) say(photograph.state === "failed" ? photograph.error : "");
  showChoices();
  fillFormats();
  $("alternatives").replaceChildren();
  if (photograph.state === "done") open().catch(failed);
  else work();
  redraw();
}

let openings = 0;
/** Shows the photograph that is looked at, of which the server knows. */
async function open() {
  const photograph = desk.current, opening = ++openings, wanted = () => photograph === desk.current && opening === openings;
  const known = await photograph.begin();
  if (!wanted()) return;
  fit(photograph);
  fillFormats();
  showChoices();
  if (known.looks_negative && !photograph.negative) say(words.looksNegative);
  if (painter) {
    const asked = JSON.stringify(photograph.coloured);
    const [grey, colours] = await Promise.all([photograph.ask(server.lightness), photograph.ask((name) => server.colours(name, photograph.coloured))]);
    if (!wanted()) return;
    await painter.putPhotograph(grey, known.width, known.height, wanted);
    if (!wanted()) return;
    painter.putColours(colours, known);
    photograph.painted = asked;
    draw();
    painter.gl.finish();
    performance.mark("shown", { detail: photograph.name });
    if (asked !== JSON.stringify(photograph.coloured)) refresh(); // chosen meanwhile
    const entropy = await photograph.ask(server.entropy);
    if (!wanted()) return;
    painter.putEntropy(entropy);
  }
  const pictures = await photograph.ask(server.alternatives);
  if (wanted()) showAlternatives(pictures);
  redraw();
}

$("canvas").addEventListener("webglcontextrestored", () => {
  painter.begin();
  if (desk.current?.state === "done") open().catch(failed);
});

function remove() {
  const photograph = desk.current, at = desk.album.indexOf(photograph);
  photograph.gone = true;
  forget(photograph);
  URL.revokeObjectURL(photograph.button.firstChild.src);
  photograph.button.parentElement.remove();
  desk.album.splice(at, 1);
  desk.current = null;
  if (desk.album.length) select(desk.album[Math.min(at, desk.album.length - 1)]);
  else {
    for (const id of ["viewer", "panel", "strip"]) $(id).hidden = true;
    $("empty").hidden = false;
    $("save-all").disabled = true;
    $("private").textContent = words.private;
    say("");
    $("add").focus();
  }
  offer(photograph, desk.album[at]);
}

let following = null; // what the photograph that was removed last came before
/** Offers to put it back; until the next one is removed, or the offer is closed. */
function offer(photograph, next) {
  desk.removed = photograph;
  following = next;
  $("offer-text").textContent = photograph ? words.removed(photograph.name) : "";
  $("offer").hidden = !photograph;
}

function putBack() {
  const photograph = desk.removed, at = desk.album.indexOf(following);
  offer(null);
  photograph.gone = false;
  enter(photograph, at < 0 ? desk.album.length : at);
  select(photograph);
  $("canvas").focus({ preventScroll: true });
}

/** Has the server forget it, and begin with it anew when it is wanted. */
function forget(photograph) {
  clearTimeout(photograph.later);
  photograph.stop();
  Object.assign(photograph, { state: "waiting", painted: null });
}

for (const [id, name] of [["negative", "negative"], ["as-is", "asIs"]])
  $(id).addEventListener("change", () => {
    desk.current[name] = $(id).checked;
    forget(desk.current);
    say("");
    work();
  });

$("remove").addEventListener("click", remove);
$("offer-take").addEventListener("click", putBack);
$("offer-close").addEventListener("click", () => offer(null));

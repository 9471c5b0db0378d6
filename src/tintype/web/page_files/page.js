// The page: photographs are dropped, shown with their colours, changed and saved.

import { Photograph, dropped, inOrder } from "./album.js";
import { abOf, hexOf, nameOf } from "./colour.js";
import { Painter } from "./painter.js";
import { saveAll, saveAs } from "./saving.js";
import * as server from "./server.js";
import { View } from "./view.js";
import { label, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const STEP = 0.02, LONG_STEP = 0.1; // of the cross, in shares of the photograph's longer side
const KNOB = 28; // CSS pixels that the handle keeps from the edges, where a phone's own gestures begin
const PAUSE = 2000; // milliseconds until a server that did not answer is asked again
const ONE_STEP = 1000; // milliseconds within which moves of a slider are one step to undo
const HIDDEN = /(^|\/)\.[^/]*$/; // as macOS leaves beside photographs
const PHOTOGRAPH = /\.(jpe?g|png|tiff?|webp|bmp|gif|heic|heif|avif|dng|nef|cr2|cr3|arw|orf|rw2|raf|pef|srw)$/i;

label();

const album = []; // of Photograph
let current = null;
let split = 0; // share of the photograph, from the left, that is shown as it was
let cross = null; // the place that the keys are at, (y, x) in shares
let openHint = null; // what the dialog is about: {y, x, lightness, index}

// ---- showing

const painter = Painter.on($("canvas"));
$("no-webgl").hidden = Boolean(painter);

let asked = false;
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

const view = new View($("canvas"), { changed: redraw, clicked: askColour });

function draw() {
  if (!current) return;
  $("working").hidden = !["waiting", "working"].includes(current.state);
  const [left, right] = view.edges, at = left + split * (right - left);
  painter?.draw(view, current.now, split ? at * view.ratio : -1, $("unsure").checked);
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
  if (cross) [$("cross").style.top, $("cross").style.left] = place(cross.y, cross.x);
  $("cross").hidden = !cross;
  [...$("marks").children].forEach((mark, i) => {
    const hint = current.now.hints[i];
    [mark.style.top, mark.style.left] = place(hint.y, hint.x);
  });
}

const place = (y, x) => view.place(y, x).reverse().map((length) => `${length}px`);

function say(text, quietly = false) {
  if (quietly) {
    $("status").textContent = text;
    return;
  }
  $("notice-text").textContent = text;
  $("notice").hidden = !text;
}

function failed(error) {
  if (error.name === "AbortError") return;
  say(error instanceof server.Refused ? error.message : String(error));
}

// ---- the album

function add(files) {
  const found = files.filter(([file, path]) => !HIDDEN.test(path) && (file.type.startsWith("image/") || PHOTOGRAPH.test(path)));
  if (!found.length) return say(words.noneFound);
  say("");
  for (const [file, path] of found) enter(new Photograph(file, path));
}

function enter(photograph, after = album.length) {
  album.splice(after, 0, photograph);
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.append(document.createElement("img"), document.createElement("span"));
  Object.assign(button.firstChild, { alt: "", draggable: false });
  button.title = photograph.path;
  button.addEventListener("click", () => select(photograph));
  item.append(button);
  $("photographs").insertBefore(item, $("photographs").children[after] ?? null);
  photograph.button = button;
  told(photograph);
  $("empty").hidden = true;
  for (const id of ["viewer", "panel", "strip"]) $(id).hidden = false;
  if (!current) select(photograph);
  work();
}

/** Tells the strip how a photograph is. */
function told(photograph) {
  const { button, state, name } = photograph;
  button.lastChild.textContent = name;
  button.dataset.state = state;
  button.setAttribute("aria-label", words.photograph(name, words[`state${state[0].toUpperCase()}${state.slice(1)}`]));
  button.setAttribute("aria-current", String(photograph === current));
  $("save-all").disabled = !album.some((one) => one.state === "done");
  const done = album.filter((one) => one.state === "done" || one.state === "failed").length;
  $("private").textContent = done < album.length ? words.progress(done, album.length) : words.private;
}

let busy = false, away = false; // away: the server did not answer
/** Colorizes what waits: first the one that is looked at. */
async function work() {
  if (busy) return;
  busy = true;
  const waiting = () => (current?.state === "waiting" ? current : album.find((one) => one.state === "waiting"));
  for (let next; (next = waiting()); ) {
    await colorize(next);
    if (away) await new Promise((done) => setTimeout(done, PAUSE));
  }
  busy = false;
  if (album.length) say(words.progress(album.filter((one) => one.state === "done").length, album.length), true);
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
      for (let page = 1; page < known.pages; page++) enter(new Photograph(photograph.file, photograph.path, page), album.indexOf(photograph) + page);
    }
    if (photograph === current) await open();
    await thumbnail(photograph);
    if (photograph === current) say(words.done(photograph.name), true);
  } catch (error) {
    if (photograph.gone || photograph.state === "waiting") return;
    if (error.passing) {
      photograph.state = "waiting";
      away = true;
    } else {
      photograph.state = "failed";
      photograph.error = error.message;
    }
    if (away || photograph === current) failed(error);
  }
  told(photograph);
}

/** The server answered. */
function back() {
  if ([words.noServer, words.noToken].includes($("notice-text").textContent)) say("");
  away = false;
}

async function thumbnail(photograph) {
  const picture = photograph.button.firstChild;
  const blob = await photograph.ask((name) => server.preview(name, photograph.look));
  if (photograph.gone) return;
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
}

let fitted = null;
/** Shows all of another photograph; leaves the view alone where it is the same. */
function fit(photograph) {
  if (fitted === photograph) return;
  fitted = photograph;
  view.open(photograph.known.width, photograph.known.height);
}

function select(photograph) {
  const before = current;
  current = photograph;
  cross = null;
  if (before) told(before);
  told(photograph);
  photograph.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  $("canvas").setAttribute("aria-label", photograph.name);
  if (painter) painter.ready = { photograph: false, colours: false };
  if (photograph.known) fit(photograph);
  if (!away) say(photograph.state === "failed" ? photograph.error : "");
  showChoices();
  fillFormats();
  $("alternatives").replaceChildren();
  if (photograph.state === "done") open().catch(failed);
  else work();
  redraw();
}

let openings = 0;
/** Shows the current photograph, of which the server knows. */
async function open() {
  const photograph = current, opening = ++openings, wanted = () => photograph === current && opening === openings;
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
  if (current?.state === "done") open().catch(failed);
});

function remove() {
  const at = album.indexOf(current);
  current.gone = true;
  clearTimeout(current.later);
  if (current.known) server.forget(current.known.name);
  URL.revokeObjectURL(current.button.firstChild.src);
  current.button.parentElement.remove();
  album.splice(at, 1);
  current = null;
  if (album.length) select(album[Math.min(at, album.length - 1)]);
  else {
    for (const id of ["viewer", "panel", "strip"]) $(id).hidden = true;
    $("empty").hidden = false;
    $("save-all").disabled = true;
    $("private").textContent = words.private;
    say("");
    $("add").focus();
  }
}

// ---- choices

function choose(changes, goingOn = false) {
  current.choose(changes, goingOn);
  changed();
}

/** The current choices are others than before. */
function changed() {
  showChoices();
  refresh();
}

let refreshing = null;
/** Has the server's colours follow the choices: one question at a time, the last one always answered. */
async function refresh() {
  const photograph = current, wanted = JSON.stringify(photograph.coloured);
  redraw();
  clearTimeout(photograph.later);
  photograph.later = setTimeout(() => photograph.state === "done" && thumbnail(photograph).catch(failed), 400);
  if (photograph.state !== "done" || photograph.painted === wanted || !painter) return;
  if (refreshing === photograph) return;
  refreshing = photograph;
  try {
    while (photograph === current && photograph.painted !== JSON.stringify(photograph.coloured)) {
      const asked = JSON.stringify(photograph.coloured);
      const colours = await photograph.ask((name) => server.colours(name, photograph.coloured));
      if (photograph !== current) break;
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

function showChoices() {
  const { now, past, future } = current;
  const own = current.known?.own ?? 2;
  Object.assign($("vividness"), { min: -own, max: 3 - own, value: now.vividness });
  $("saturation").value = now.saturation;
  const focused = document.activeElement;
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  if (focused.disabled) $(focused === $("undo") ? "redo" : "undo").focus(); // keys would be lost with the focus
  $("negative").checked = current.negative;
  $("as-is").checked = current.asIs;
  showHints(now.hints);
  for (const input of $("alternatives").querySelectorAll("input")) input.checked = input.value === String(now.alternative ?? "");
}

function showHints(hints) {
  $("hints-none").hidden = hints.length > 0;
  $("hints-clear").hidden = !hints.length;
  const button = (hint, i) => {
    const made = document.createElement("button");
    made.type = "button";
    made.style.setProperty("--colour", hint.hex);
    made.setAttribute("aria-label", words.hintNamed(i + 1, nameOf(hint)));
    made.addEventListener("click", () => askColour(hint.y, hint.x, i));
    made.addEventListener("focus", () => made.matches(":focus-visible") && view.reveal(hint.y, hint.x));
    return made;
  };
  $("marks").replaceChildren(...hints.map(button));
  $("hints").replaceChildren(
    ...hints.map((hint, i) => {
      const item = document.createElement("li"), made = button(hint, i);
      made.append(nameOf(hint));
      item.append(made);
      return item;
    }),
  );
}

function showAlternatives(pictures) {
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
    before ??= current.now;
    current.now = { ...current.now, [name]: Number($(name).value) };
    draw();
    performance.mark("slid");
  });
  $(name).addEventListener("change", () => {
    if (!before) return;
    const changes = { [name]: current.now[name] };
    const goingOn = last.made === before && performance.now() - last.at < ONE_STEP;
    current.now = before;
    before = null;
    choose(changes, goingOn);
    last = { made: current.now, at: performance.now() };
  });
}

function undo() {
  current.undo();
  changed();
}

function redo() {
  current.redo();
  changed();
}

$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("reset").addEventListener("click", () => {
  if (current.now.vividness !== 0 || current.now.saturation !== 1) choose({ vividness: 0, saturation: 1 });
});
$("hints-clear").addEventListener("click", () => choose({ hints: [] }));
$("unsure").addEventListener("change", () => {
  $("legend").hidden = !$("unsure").checked;
  redraw();
});
for (const [id, name] of [["negative", "negative"], ["as-is", "asIs"]])
  $(id).addEventListener("change", () => {
    current[name] = $(id).checked;
    if (current.known) server.forget(current.known.name);
    current.again();
    current.state = "waiting";
    current.painted = null;
    say("");
    work();
  });

// ---- hints

let asking = 0;
async function askColour(y, x, index = null) {
  if (current?.state !== "done" || $("hint").open) return;
  const photograph = current, turn = ++asking;
  cross = { y, x };
  redraw();
  try {
    const { lightness, colours } = await photograph.ask(server.suggestions, y, x);
    if (photograph !== current || turn !== asking) return;
    openHint = { y, x, index };
    $("swatches").replaceChildren(
      ...colours.map((colour) => {
        const made = document.createElement("button"), hex = hexOf(colour.rgb);
        made.type = "button";
        made.style.setProperty("--colour", hex);
        made.setAttribute("aria-label", words.suggestion(Math.round(100 * colour.probability), nameOf(colour)));
        made.title = made.getAttribute("aria-label");
        made.addEventListener("click", () => take({ a: colour.a, b: colour.b, hex }));
        return made;
      }),
    );
    const grey = Math.round((255 * lightness) / 100);
    $("other").value = index === null ? (colours.length ? hexOf(colours[0].rgb) : hexOf([grey, grey, grey])) : photograph.now.hints[index].hex;
    $("hint-remove").hidden = index === null;
    $("hint").classList.remove("aside");
    $("hint").showModal();
    $("hint").classList.toggle("aside", covers($("hint"), $("cross")));
  } catch (error) {
    failed(error);
  }
}

function covers(above, below) {
  const [a, b] = [above, below].map((element) => element.getBoundingClientRect());
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function take(colour) {
  const { y, x, index } = openHint, hints = [...current.now.hints];
  const hint = { y, x, ...colour };
  if (index === null) hints.push(hint);
  else hints[index] = hint;
  $("hint").close();
  performance.mark("hinted");
  choose({ hints });
}

$("hint-take").addEventListener("click", () => take({ ...abOf($("other").value), hex: $("other").value }));
$("hint-remove").addEventListener("click", () => {
  $("hint").close();
  choose({ hints: current.now.hints.filter((_, i) => i !== openHint.index) });
});
$("hint").addEventListener("close", () => $("canvas").focus({ preventScroll: true }));

// ---- zooming, splitting, keys

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
  if (!current || event.ctrlKey || event.metaKey) return;
  const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (way && event.shiftKey) view.shift(-way[1] * LONG_STEP * $("canvas").width, -way[0] * LONG_STEP * $("canvas").height);
  else if (way) {
    const longer = Math.max(view.width, view.height) * STEP;
    cross ??= { y: 0.5, x: 0.5 };
    cross = { y: inside(cross.y + (way[0] * longer) / view.height), x: inside(cross.x + (way[1] * longer) / view.width) };
    view.reveal(cross.y, cross.x);
    say(words.crossAt(Math.round(100 * cross.x), Math.round(100 * cross.y)), true);
  } else if (event.key === "Enter" && cross) askColour(cross.y, cross.x);
  else if (event.key === "Escape") cross = null;
  else if (event.key === "+" || event.key === "=") view.set(view.zoom * 1.5);
  else if (event.key === "-") view.set(view.zoom / 1.5);
  else if (event.key === "0") view.fit();
  else return;
  event.preventDefault();
  redraw();
});

const inside = (share) => Math.min(Math.max(share, 0), 0.9999);

addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || !current || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  (event.shiftKey ? redo : undo)();
});

// ---- adding

if (matchMedia("(hover: none)").matches) $("empty-title").textContent = words.chooseTitle;
$("empty").addEventListener("click", () => $("add").click());
$("add").addEventListener("change", () => taken($("add"), (file) => file.name));
$("add-folder").addEventListener("change", () => taken($("add-folder"), (file) => file.webkitRelativePath || file.name));

function taken(input, path) {
  const files = [...input.files].map((file) => [file, path(file)]);
  add(input.webkitdirectory ? inOrder(files) : files);
  input.value = "";
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  if (event.dataTransfer.types.includes("Files")) document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (!event.dataTransfer.types.includes("Files")) return;
  performance.mark("dropped");
  dropped(event.dataTransfer).then(add, failed);
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) add(files.map((file) => [file, file.name]));
});

// ---- saving

function fillFormats() {
  const own = current.known?.suffix ?? ".jpg", before = $("format").value;
  const formats = [["", words.formatOwn(own)], [".jpg", "JPEG"], [".png", "PNG"], [".tif", "TIFF"], [".webp", "WebP"]];
  if (current.known?.deep) formats.push([".png 16", words.formatDeep("PNG")], [".tif 16", words.formatDeep("TIFF")]);
  $("format").replaceChildren(...formats.map(([value, text]) => new Option(text, value)));
  $("format").value = formats.some(([value]) => value === before) ? before : "";
}

$("save").addEventListener("click", async () => {
  const photograph = current, [suffix, depth] = $("format").value.split(" ");
  const focused = document.activeElement === $("save");
  $("save").disabled = true;
  try {
    const look = photograph.now;
    const blob = await photograph.picture(suffix ? { suffix, depth: Number(depth ?? 8) } : {});
    const name = photograph.target(suffix || undefined);
    saveAs(blob, name.slice(name.lastIndexOf("/") + 1));
    photograph.savedAs = look;
    back();
    say(words.saved(photograph.name), true);
  } catch (error) {
    failed(error);
  }
  $("save").disabled = false;
  if (focused && document.activeElement === document.body) $("save").focus();
});

/** All photographs, each as soon as it is colorized; those that cannot be are left out. */
async function* colorized(signal) {
  for (let at = 0; at < album.length; at++) {
    while (["waiting", "working"].includes(album[at].state)) {
      await new Promise((done) => setTimeout(done, 100));
      signal.throwIfAborted();
    }
    if (album[at].state === "done") yield album[at];
  }
}

$("save-all").addEventListener("click", async () => {
  const stopping = new AbortController();
  $("all").addEventListener("close", () => stopping.abort(), { once: true });
  $("all").showModal();
  const failures = () => album.filter((photograph) => photograph.state === "failed").length;
  const progress = (done) => {
    const all = album.length - failures();
    $("all-text").textContent = words.savingAll(done, all);
    Object.assign($("all-progress"), { value: done, max: all });
  };
  progress(0);
  try {
    const missing = (await saveAll(colorized(stopping.signal), stopping.signal, progress)) + failures();
    if (missing) say(words.savedAllBut(missing));
  } catch (error) {
    failed(error);
  }
  $("all").close();
});

$("remove").addEventListener("click", remove);
$("notice-close").addEventListener("click", () => say(""));
addEventListener("beforeunload", (event) => {
  if (album.some((photograph) => photograph.unsaved)) event.preventDefault();
});

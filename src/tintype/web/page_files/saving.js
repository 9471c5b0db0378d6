// From the server to a file: one photograph, or all of them as a ZIP.

import { downloadZip } from "./client-zip.js";
import { $, back, desk, failed, say } from "./desk.js";
import { words } from "./words.js";

function saveAs(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Saves photographs, which may still be coming, in one ZIP, one after the other.
 * @param {AsyncIterable<Photograph>} photographs
 * @returns {Promise<number>} how many could not be made, and are not in it
 */
async function saveAll(photographs, signal, progress) {
  const taken = new Set(), saved = [];
  let missing = 0;
  async function* files() {
    for await (const photograph of photographs) {
      const look = photograph.now;
      let input;
      try {
        input = await photograph.picture({}, signal);
      } catch (error) {
        if (signal.aborted || !error.status) throw error; // no status: no server
        missing += 1;
        continue;
      }
      saved.push([photograph, look]);
      progress(saved.length);
      yield { name: unlike(photograph.target(), taken), input, lastModified: new Date() };
    }
  }
  const zip = await downloadZip(files()).blob();
  signal.throwIfAborted();
  if (!saved.length) return missing;
  saveAs(zip, "tintype.zip");
  for (const [photograph, look] of saved) photograph.savedAs = look;
  return missing;
}

/** A name that is not taken yet. */
function unlike(name, taken) {
  const dot = name.lastIndexOf(".");
  let other = name;
  for (let n = 2; taken.has(other.toLowerCase()); n++) other = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
  taken.add(other.toLowerCase());
  return other;
}

/** Offers the formats of the photograph that is looked at. */
export function fillFormats() {
  const own = desk.current.known?.suffix ?? ".jpg", before = $("format").value;
  const formats = [["", words.formatOwn(own)], [".jpg", "JPEG"], [".png", "PNG"], [".tif", "TIFF"], [".webp", "WebP"]];
  if (desk.current.known?.deep) formats.push([".png 16", words.formatDeep("PNG")], [".tif 16", words.formatDeep("TIFF")]);
  $("format").replaceChildren(...formats.map(([value, text]) => new Option(text, value)));
  $("format").value = formats.some(([value]) => value === before) ? before : "";
}

$("save").addEventListener("click", async () => {
  const photograph = desk.current, [suffix, depth] = $("format").value.split(" ");
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
  for (let at = 0; at < desk.album.length; at++) {
    while (["waiting", "working"].includes(desk.album[at].state)) {
      await new Promise((done) => setTimeout(done, 100));
      signal.throwIfAborted();
    }
    if (desk.album[at].state === "done") yield desk.album[at];
  }
}

$("save-all").addEventListener("click", async () => {
  const stopping = new AbortController();
  $("all").addEventListener("close", () => stopping.abort(), { once: true });
  $("all").showModal();
  const failures = () => desk.album.filter((photograph) => photograph.state === "failed").length;
  const progress = (done) => {
    const all = desk.album.length - failures();
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

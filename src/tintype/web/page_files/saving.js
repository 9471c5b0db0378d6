// From the server to a file: one photograph, or all of them as a ZIP.

import { downloadZip } from "./client-zip.js";

export function saveAs(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Saves photographs, which may still be coming, in one ZIP, one after the other.
 * @param {AsyncIterable<Photograph>} photographs
 * @returns {Promise<number>} how many could not be made, and are not in it
 */
export async function saveAll(photographs, signal, progress) {
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

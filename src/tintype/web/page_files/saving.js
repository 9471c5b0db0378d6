// From the server to a file: one photograph, or all of them as a ZIP.

import { downloadZip } from "./client-zip.js";

export function saveAs(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Saves photographs in one ZIP, one after the other.
 * @returns {Promise<number>} how many could not be made, and are not in it
 */
export async function saveAll(photographs, signal, progress) {
  const taken = new Set();
  let missing = 0, done = 0;
  async function* files() {
    for (const photograph of photographs) {
      progress(done++);
      const look = photograph.now;
      let input;
      try {
        input = await photograph.picture({}, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        missing += 1;
        continue;
      }
      photograph.savedAs = look;
      yield { name: unlike(photograph.target(), taken), input, lastModified: new Date() };
    }
    progress(done);
  }
  const zip = await downloadZip(files()).blob();
  signal.throwIfAborted();
  saveAs(zip, "tintype.zip");
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

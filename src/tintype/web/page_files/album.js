// The photographs on the page: what was dropped, what the server made of it, and what was chosen, with undo.

import * as server from "./server.js";

const PLAIN = { hints: [], alternative: null, vividness: 0, saturation: 1 };

export class Photograph {
  constructor(file, path = file.name, page = 0) {
    Object.assign(this, { file, path, page, state: "waiting", negative: false, asIs: false, gone: false });
    this.forgetChoices();
    this.savedAs = null; // the choices that were saved last
  }

  forgetChoices() {
    Object.assign(this, { past: [], now: PLAIN, future: [] });
  }

  get name() {
    return this.path.slice(this.path.lastIndexOf("/") + 1) + (this.known?.pages > 1 ? `, ${this.page + 1}` : "");
  }

  /** Whether something has been chosen that was not saved. */
  get unsaved() {
    return this.past.length > 0 && this.savedAs !== this.now;
  }

  /** Takes other choices; those before can be had back, unless these only go on with the last change. */
  choose(changes, goingOn = false) {
    if (!goingOn) this.past.push(this.now);
    this.now = { ...this.now, ...changes };
    this.future = [];
  }

  undo() {
    if (this.past.length) this.future.push(this.now), (this.now = this.past.pop());
  }

  redo() {
    if (this.future.length) this.past.push(this.now), (this.now = this.future.pop());
  }

  /** Sends it, unless the server has it. */
  async begin() {
    if (!this.begun) {
      const options = { page: this.page, negative: this.negative ? 1 : 0, as_is: this.asIs ? 1 : 0 };
      this.stopping = new AbortController();
      const begun = server.begin(this.file, options, this.stopping.signal).then((known) => (this.known = known));
      begun.catch(() => this.begun === begun && this.again());
      this.begun = begun;
    }
    return this.begun;
  }

  /** Breaks off what is on its way, and has the server forget what it has. */
  stop() {
    this.stopping?.abort();
    if (this.known) server.forget(this.known.name);
    this.again();
  }

  /** Forgets what the server has. */
  again() {
    this.begun = null;
  }

  /** Asks the server something about it; sends it again where the server has forgotten it, or was started anew. */
  async ask(question, ...rest) {
    try {
      return await question((await this.begin()).name, ...rest);
    } catch (error) {
      if (this.gone) throw new DOMException("removed from the page", "AbortError");
      if (error.status !== 404) throw error;
      this.again();
      return question((await this.begin()).name, ...rest);
    }
  }

  /** What decides which colours the server sends. */
  get coloured() {
    return { hints: this.now.hints.map(({ y, x, a, b }) => ({ y, x, a, b })), alternative: this.now.alternative };
  }

  /** All that the server is to know of how it looks. */
  get look() {
    const { saturation, vividness } = this.now;
    const { temperatures, own } = this.known, step = temperatures[1] / temperatures[0];
    return { ...this.coloured, saturation, temperature: temperatures[own] * step ** vividness };
  }

  /** The file of the colour version. */
  async picture(format = {}, signal) {
    return this.ask((name) => server.picture(name, { ...this.look, ...format }, signal));
  }

  /** Its name, with folders if it came in some. */
  target(suffix = this.known.suffix) {
    const dot = this.path.lastIndexOf(".");
    const stem = dot > this.path.lastIndexOf("/") + 1 ? this.path.slice(0, dot) : this.path;
    const page = this.known.pages > 1 ? `-${this.page + 1}` : "";
    const own = suffix === this.known.suffix ? (/\.[^./]*$/.exec(this.path)?.[0] ?? suffix) : suffix;
    const same = own.toLowerCase().replace("jpeg", "jpg").replace("tiff", "tif") === suffix;
    return `${stem}${page}.color${same ? own : suffix}`;
  }
}

/** The files of a drop, those in folders included, with their paths. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => [file, file.name]);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((got) => entry.file(got, () => got(null))); // null where it cannot be read
      if (file) found.push([file, path]);
    } else {
      const reader = entry.createReader();
      for (let some; (some = await new Promise((got, failed) => reader.readEntries(got, failed))).length; )
        for (const one of some) await walk(one, `${path}/${one.name}`);
    }
  };
  for (const entry of entries) await walk(entry, entry.name);
  return inOrder(found);
}

const { compare } = new Intl.Collator(undefined, { numeric: true });

/** Files with their paths, by path; 2 before 10. Folders give them in any order. */
export const inOrder = (files) => files.sort(([, a], [, b]) => compare(a, b));

// What the page asks the server that it came from.

import { words } from "./words.js";

const RETRIES = [500, 1000, 2000, 4000, ...Array(14).fill(8000)]; // two minutes, after which it has failed
const PATIENCE = 3; // of them, before it is told that the server is busy

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  /** Whether it is not about what was asked, so that the same may go well later. */
  get passing() {
    return [0, 401, 503].includes(this.status);
  }
}

// In the address after #, so that it is in no server's log; then in this tab only.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname + location.search);
}
takeToken();
addEventListener("hashchange", takeToken); // a new token's address opened where the page is, which does not load it anew

async function ask(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  for (let tries = 0; ; tries++) {
    let reply;
    try {
      reply = await fetch(`api/${path}`, { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (options.body instanceof Blob && !(await readable(options.body))) throw new Refused(words.noFile, 400);
      throw new Refused(words.noServer, 0);
    }
    if (reply.ok && tries > PATIENCE) dispatchEvent(new Event("served"));
    if (reply.ok) return reply;
    if (reply.status === 503 && tries < RETRIES.length) {
      if (tries === PATIENCE) dispatchEvent(new Event("busy"));
      await pause(RETRIES[tries], options.signal);
      continue;
    }
    if (reply.status === 401) throw new Refused(words.noToken, 401);
    const told = await reply.json().catch(() => ({}));
    throw new Refused(String(told.error ?? reply.statusText).replace(/^photograph: /, ""), reply.status);
  }
}

const pause = (time, signal) =>
  new Promise((done, failed) => {
    const timer = setTimeout(done, time);
    signal?.addEventListener("abort", () => (clearTimeout(timer), failed(signal.reason)), { once: true });
  });

/** Whether a file is still where it was, as it was: browsers do not tell this from a server that does not answer. */
async function readable(file) {
  const reader = file.stream().getReader(); // of a slice, Chromium says that it is empty
  try {
    await reader.read();
    return true;
  } catch {
    return false;
  } finally {
    reader.cancel().catch(() => {});
  }
}

const post = (path, choices, signal) =>
  ask(path, { method: "POST", body: JSON.stringify(choices), headers: { "Content-Type": "application/json" }, signal });

/** Sends a photograph; what the server knows of it. */
export async function begin(file, options, signal) {
  const suffix = /\.[^.]*$/.exec(file.name)?.[0] ?? "";
  const query = new URLSearchParams({ ...options, suffix });
  return (await ask(`drafts?${query}`, { method: "POST", body: file, signal })).json();
}

export const forget = (name) => ask(`drafts/${name}`, { method: "DELETE" }).catch(() => {});
export const lightness = async (name) => (await ask(`drafts/${name}/lightness`)).blob();
export const alternatives = async (name) => (await (await ask(`drafts/${name}/alternatives`)).json()).pictures;
export const preview = async (name, choices) => (await post(`drafts/${name}/preview`, choices)).blob();
export const picture = async (name, choices, signal) => (await post(`drafts/${name}/picture`, choices, signal)).blob();
export const suggestions = async (name, y, x) => (await ask(`drafts/${name}/suggestions?${new URLSearchParams({ y, x })}`)).json();

/** A and B of ab = A L + B: at four temperatures, for each pixel of the guide, four half floats. */
export const colours = async (name, choices) =>
  new Uint16Array(await (await post(`drafts/${name}/colours`, choices)).arrayBuffer());

export async function entropy(name) {
  const reply = await ask(`drafts/${name}/entropy`);
  const size = ["X-Width", "X-Height"].map((header) => Number(reply.headers.get(header)));
  return { width: size[0], height: size[1], levels: new Uint8Array(await reply.arrayBuffer()) };
}

// What the parts of the page share: the photographs, the one that is looked at, and what is said.

import { Refused } from "./server.js";
import { words } from "./words.js";

export const $ = (id) => document.getElementById(id);

export const desk = {
  album: [], // of Photograph
  current: null,
  away: false, // the server did not answer
  removed: null, // the photograph that was removed last, while it may be put back
};

export function say(text, quietly = false) {
  if (quietly) {
    $("status").textContent = text;
    return;
  }
  $("notice-text").textContent = text;
  $("notice").hidden = !text;
}

export function failed(error) {
  if (error.name === "AbortError") return;
  say(error instanceof Refused ? error.message : String(error));
}

/** The server answered. */
export function back() {
  if ([words.noServer, words.noToken, words.busy].includes($("notice-text").textContent)) say("");
  desk.away = false;
}

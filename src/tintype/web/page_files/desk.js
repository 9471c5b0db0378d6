// What the parts of the page share: the photographs, the one that is looked at, and what is said.

import { Refused } from "./server.js";
import { words } from "./words.js";

export const $ = (id) => document.getElementById(id);

export const desk = {
  album: [], // of Photograph
  current: null,
  away: false, // the server did not answer
};

export function say(text, quietly = false) {
  if (quietly) {
    $("status").textContent = text;
    return;
  }
  $("notice-text").textContent = text;
  $("notice").hidden = !text;
  $("notice-act").hidden = true;
}

/** Says something, with a button for what can be done about it. */
export function offer(text, label, act) {
  say(text);
  Object.assign($("notice-act"), { textContent: label, hidden: false, onclick: () => (say(""), act()) });
}

export function failed(error) {
  if (error.name === "AbortError") return;
  say(error instanceof Refused ? error.message : String(error));
}

/** The server answered. */
export function back() {
  if ([words.noServer, words.noToken].includes($("notice-text").textContent)) say("");
  desk.away = false;
}

// The strip of small pictures, one for each photograph.

import { $, desk } from "./desk.js";
import * as server from "./server.js";
import { words } from "./words.js";

/** Puts a photograph's button at a place of the strip. */
export function place(photograph, at, chosen) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.append(document.createElement("img"), document.createElement("span"));
  Object.assign(button.firstChild, { alt: "", draggable: false });
  button.title = photograph.path;
  button.addEventListener("click", () => chosen(photograph));
  item.append(button);
  $("photographs").insertBefore(item, $("photographs").children[at] ?? null);
  photograph.button = button;
  told(photograph);
}

/** Tells the strip how a photograph is. */
export function told(photograph) {
  const { button, state, name } = photograph;
  button.lastChild.textContent = name;
  button.dataset.state = state;
  button.setAttribute("aria-label", words.photograph(name, words[`state${state[0].toUpperCase()}${state.slice(1)}`]));
  button.setAttribute("aria-current", String(photograph === desk.current));
  $("save-all").disabled = !desk.album.some((one) => one.state === "done");
  const done = desk.album.filter((one) => one.state === "done" || one.state === "failed").length;
  $("private").textContent = done < desk.album.length ? words.progress(done, desk.album.length) : words.private;
}

/** Its small picture, as it looks now. */
export async function thumbnail(photograph) {
  const picture = photograph.button.firstChild;
  const blob = await photograph.ask((name) => server.preview(name, photograph.look));
  if (photograph.gone) return;
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
}

// Colours of one's own: asking for the colour of a place, and the marks of those that were chosen.

import { choose } from "./choices.js";
import { abOf, hexOf, nameOf } from "./colour.js";
import { $, desk, failed } from "./desk.js";
import * as server from "./server.js";
import { putCross, view } from "./stage.js";
import { words } from "./words.js";

let openHint = null; // what the dialog is about: {y, x, index}

$("canvas").addEventListener("place", ({ detail }) => askColour(detail.y, detail.x));
addEventListener("chosen", () => showHints(desk.current.now.hints));
$("hints-clear").addEventListener("click", () => choose({ hints: [] }));

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

let asking = 0;
async function askColour(y, x, index = null) {
  if (desk.current?.state !== "done" || $("hint").open) return;
  const photograph = desk.current, turn = ++asking;
  putCross({ y, x });
  try {
    const { lightness, colours } = await photograph.ask(server.suggestions, y, x);
    if (photograph !== desk.current || turn !== asking) return;
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
  const { y, x, index } = openHint, hints = [...desk.current.now.hints];
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
  choose({ hints: desk.current.now.hints.filter((_, i) => i !== openHint.index) });
});
$("hint").addEventListener("close", () => $("canvas").focus({ preventScroll: true }));

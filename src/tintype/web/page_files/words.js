// What the page says. Another language is one more of these objects, in `languages`, under its tag.

const en = {
  private: "Your photographs stay on this computer.",
  addPhotographs: "Add photographs",
  addFolder: "Add a folder",
  saveAll: "Save all as ZIP",
  close: "Close",
  dropTitle: "Drop black-and-white photographs here",
  chooseTitle: "Choose black-and-white photographs", // where nothing can be dropped
  dropText: "One, many, or a whole folder. They are colorized on this computer; nothing is sent anywhere else.",
  dropFormats: "JPEG, PNG, TIFF, WebP, HEIC, AVIF, BMP, GIF or a camera's raw file. Or paste a picture.",
  viewer: "Photograph",
  panel: "Settings of this photograph",
  strip: "Photographs",
  keys: "Arrow keys move a cross; Enter colours the place under it. Plus and minus zoom, 0 shows all. Shift and arrow keys move the picture.",
  split: "Before and after",
  before: "Before",
  after: "After",
  zoom: "Zoom",
  zoomOut: "Zoom out",
  zoomIn: "Zoom in",
  fit: "Fit",
  zoomFit: "Fit: show all of it",
  zoomReal: "1:1, full resolution",
  undo: "Undo",
  redo: "Redo",
  colours: "Colours",
  vividness: "Vividness",
  saturation: "Saturation",
  reset: "Reset",
  alternatives: "Other possibilities",
  asUsual: "As usual",
  possibility: (n) => `Possibility ${n}`,
  hints: "Your colours",
  hintsHow: "Click a place in the photograph to choose its colour. It spreads over what belongs to it.",
  hintNamed: (n, colour) => `Colour ${n}, ${colour}: change`,
  hintsClear: "Remove all",
  look: "Photograph",
  unsure: "Show where the model is unsure",
  sure: "sure",
  notSure: "unsure",
  negative: "It is a negative",
  asIs: "Do not look for borders or fading",
  saving: "Save",
  format: "Format",
  formatOwn: (suffix) => `Same format (${suffix})`,
  formatDeep: (name) => `${name}, 16 bits`,
  save: "Save",
  remove: "Remove from this page",
  removed: (name) => `${name} is off this page; its file is untouched.`,
  putBack: "Put it back",
  hintTitle: "Colour of this place",
  hintSuggested: "The model thinks of:",
  hintOther: "Another colour",
  hintTake: "Use it",
  hintRemove: "Remove",
  suggestion: (share, colour) => `${colour}, ${share} %`,
  cancel: "Cancel",
  hueNone: "grey",
  huePale: (hue) => `pale ${hue}`,
  hues: [[15, "pink"], [50, "red"], [75, "orange"], [105, "yellow"], [165, "green"], [215, "turquoise"], [285, "blue"], [325, "violet"], [360, "pink"]], // up to so many degrees in ab
  working: "Colorizing…",
  progress: (n, of) => `${n} of ${of} colorized`,
  done: (name) => `${name} is colorized`,
  saved: (name) => `${name} is saved`,
  photograph: (name, state) => `${name}, ${state}`,
  stateWaiting: "waiting",
  stateWorking: "being colorized",
  stateDone: "colorized",
  stateFailed: "cannot be colorized",
  savingAll: (n, of) => `${n} of ${of}`,
  savedAllBut: (n) => `${n} could not be saved; they are not in the ZIP.`,
  noneFound: "There are no photographs among these files.",
  crossAt: (across, down) => `${across} % from the left, ${down} % from the top`,
  looksNegative: "This looks like a colour negative. If it is one, tick “It is a negative”.",
  noServer: "tintype does not answer any more. Is it still running? Your photographs are still here; start it again and go on.",
  busy: "tintype is busy with other photographs; this waits for it.",
  noToken: "This page needs its token: open the whole address that tintype printed, with #token=… at its end.",
  noFile: "This file cannot be read any more. Was it moved or changed? Add it again.",
  noWebgl: "This browser cannot show photographs here (it has no WebGL 2). Saving works.",
};

const languages = { en };

const wanted = navigator.languages.map((tag) => tag.toLowerCase()).flatMap((tag) => [tag, tag.split("-")[0]]);
const language = wanted.find((tag) => tag in languages) ?? "en";

export const words = { ...en, ...languages[language] };

/** Writes the words into the page's elements that name them. */
export function label() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words[element.dataset.label]);
    if (element.tagName === "BUTTON") element.title = words[element.dataset.label];
  }
}

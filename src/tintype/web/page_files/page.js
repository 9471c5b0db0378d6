// The page: photographs are dropped, shown with their colours, changed and saved.

import { dropped, inOrder } from "./album.js";
import { $, back, desk, failed, say } from "./desk.js";
import "./hints.js";
import { add } from "./photographs.js";
import { painter } from "./stage.js";
import { label, words } from "./words.js";

label();
$("no-webgl").hidden = Boolean(painter);
$("notice-close").addEventListener("click", () => say(""));
addEventListener("busy", () => say(words.busy));
addEventListener("served", back);

if (matchMedia("(hover: none)").matches) $("empty-title").textContent = words.chooseTitle;
$("empty").addEventListener("click", () => $("add").click());
$("add").addEventListener("change", () => taken($("add"), (file) => file.name));
$("add-folder").addEventListener("change", () => taken($("add-folder"), (file) => file.webkitRelativePath || file.name));

function taken(input, path) {
  const files = [...input.files].map((file) => [file, path(file)]);
  add(input.webkitdirectory ? inOrder(files) : files);
  input.value = "";
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  if (event.dataTransfer.types.includes("Files")) document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (!event.dataTransfer.types.includes("Files")) return;
  performance.mark("dropped");
  dropped(event.dataTransfer).then(add, failed);
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) add(files.map((file) => [file, file.name]));
});

addEventListener("beforeunload", (event) => {
  if ([...desk.album, desk.removed].some((photograph) => photograph?.unsaved)) event.preventDefault();
});

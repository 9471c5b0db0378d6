// What a visitor does and sees. The work is done in worker.js.

const $ = (id) => document.getElementById(id);
const worker = new Worker("worker.js", { type: "module" });
let name = ""; // of the photograph that is shown
let waiting = 0; // photographs that were chosen and not answered: only the last counts

worker.onmessage = ({ data }) => {
  if (data.blob) return download(data.blob);
  waiting = Math.max(0, waiting - 1);
  if (waiting) {
    data.before?.close();
    data.after?.close();
    return;
  }
  busy(false);
  if (data.error) return say("", data.error);
  name = data.name;
  draw($("before"), data.before);
  draw($("after"), data.after);
  $("result").hidden = false;
  show(50);
  const pixels = `${data.width} × ${data.height}`;
  say(`${name}, ${pixels} pixels: ${data.seconds.toFixed(1)} s by ${data.where}, on this device.`);
  $("result").scrollIntoView({ block: "nearest" });
};
worker.onerror = () => {
  busy(false);
  say("", "This browser cannot run the page. A current Firefox, Chrome, Edge or Safari can.");
};

function open(file) {
  if (!file) return;
  waiting++;
  busy(true);
  say(`Colorizing ${file.name || "the picture"} …`);
  worker.postMessage({ file });
}

function busy(yes) {
  $("page").setAttribute("aria-busy", yes);
  for (const button of $("result").querySelectorAll("button")) button.disabled = yes;
}

function say(status, error = "") {
  $("status").textContent = status;
  $("error").textContent = error;
  $("error").hidden = !error;
  if (error) $("error").scrollIntoView({ block: "nearest" });
}

function draw(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  $("stage").style.aspectRatio = `${bitmap.width} / ${bitmap.height}`;
  $("stage").style.setProperty("--shape", bitmap.width / bitmap.height);
  bitmap.close();
}

function show(percent) {
  $("divide").value = percent;
  $("stage").style.setProperty("--at", `${percent}%`);
}

function download(blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.replace(/\.[^.]*$/, "")}.color.${blob.type === "image/png" ? "png" : "jpg"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

$("file").onchange = () => {
  open($("file").files[0]);
  $("file").value = ""; // so that the same file can be chosen again
};
$("divide").oninput = () => show($("divide").value);
$("png").onclick = () => worker.postMessage({ save: "image/png" });
$("jpeg").onclick = () => worker.postMessage({ save: "image/jpeg" });

$("stage").onpointerdown = $("stage").onpointermove = (event) => {
  if (!event.buttons) return;
  $("stage").setPointerCapture(event.pointerId);
  const { left, width } = $("stage").getBoundingClientRect();
  show(Math.min(100, Math.max(0, (100 * (event.clientX - left)) / width)));
};

document.ondragover = (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
};
document.ondragleave = () => $("drop").classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  open(event.dataTransfer.files[0]);
};
document.onpaste = (event) => open(event.clipboardData.files[0]);

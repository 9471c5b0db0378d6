// All that takes time, away from the page: decoding, the network, painting, encoding. One photograph at a time.
//
// Takes {file} and answers {name, width, height, before, after, where, seconds}, two of them ImageBitmaps of at most
// SHOWN pixels along a side; or {save: type} and answers {blob}. What goes wrong is answered as {error}, in one line.

import { colorize } from "./colorize.js";
import { loadModel } from "./network.js";

const SHOWN = 1600;
const MOST = 100e6; // pixels

const model = loadModel();
model.catch(() => {}); // told when a photograph is there
let canvas;

let last = Promise.resolve();

onmessage = ({ data }) => {
  last = last.then(() => answer(data)).catch((error) => postMessage({ error: error.message }));
};

async function answer({ save, file }) {
  if (!save) return open(file);
  postMessage({ blob: await canvas.convertToBlob({ type: save, quality: 0.95 }) });
}

async function open(file) {
  const loaded = await model;
  const start = performance.now();
  const [picture, drawn] = await decode(file);
  const before = await shown(drawn);
  await colorize(picture, loaded);
  drawn.getContext("2d").putImageData(picture, 0, 0);
  canvas = drawn;
  const [after, { width, height }] = [await shown(canvas), canvas];
  const seconds = (performance.now() - start) / 1000;
  postMessage({ name: file.name || "picture", width, height, before, after, where: loaded.where, seconds }, [before, after]);
}

/** The photograph's pixels, upright and in sRGB, and the canvas that they are on. */
async function decode(file) {
  const name = file.name || "the picture";
  if (await isCut(file)) throw new Error(`${name} is damaged: the end of it is missing.`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${name} cannot be read: it is damaged, or no photograph of a kind that this browser knows.`);
  }
  const { width, height } = bitmap;
  const tooLarge = new Error(`${name} has ${Math.round((width * height) / 1e6)} megapixels, more than this page can hold.`);
  if (width * height > MOST) throw tooLarge;
  try {
    const drawn = new OffscreenCanvas(width, height);
    const context = drawn.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const picture = context.getImageData(0, 0, width, height);
    if (picture.data.some((value, at) => at % 4 === 3 && value)) return [picture, drawn];
    throw tooLarge; // some browsers give an empty canvas, and no error
  } catch {
    throw tooLarge;
  } finally {
    bitmap.close();
  }
}

/** Whether it is a JPEG without an end, which browsers fill up with grey and say nothing. */
async function isCut(file) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (!(start[0] === 0xff && start[1] === 0xd8)) return false;
  const all = new Uint8Array(await file.arrayBuffer());
  for (let at = all.lastIndexOf(0xd9); at > 0; at = all.lastIndexOf(0xd9, at - 1)) if (all[at - 1] === 0xff) return false;
  return true;
}

function shown(source) {
  const scale = Math.min(1, SHOWN / Math.max(source.width, source.height));
  const [resizeWidth, resizeHeight] = [source.width, source.height].map((side) => Math.max(1, Math.round(side * scale)));
  return createImageBitmap(source, { resizeWidth, resizeHeight, resizeQuality: "high" });
}

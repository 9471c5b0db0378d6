// From a photograph to what the network is shown: src/tintype/runtime/reduce.py, restore.py (stretch) and predict.py.

import { lightness } from "./lab.js";

const GUIDE = 2; // pixels of the guide, along a side, for one pixel of what the network sees
const LARGEST = 4; // times the usual area

/** A grid of numbers, row by row. */
export const plane = (height, width) => ({ height, width, values: new Float32Array(height * width) });

/** The factor that brings a picture to about twice the side of what the network sees. */
export function reduction(height, width, size) {
  const side = GUIDE * size;
  let factor = Math.max(1, roundHalfEven(Math.sqrt(height * width) / side));
  while (Math.ceil(height / factor) * Math.ceil(width / factor) > LARGEST * side * side) factor *= 2;
  return factor;
}

/** Mean CIE L over blocks of factor x factor pixels of RGBA; those at the right and bottom edges may be smaller. */
export function reduceLightness({ data, height, width }, factor) {
  const out = plane(Math.ceil(height / factor), Math.ceil(width / factor));
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor(y / factor) * out.width;
    for (let x = 0; x < width; x++, at += 4) out.values[row + Math.floor(x / factor)] += lightness(data, at);
  }
  for (let y = 0; y < out.height; y++) {
    const tall = Math.min(factor, height - y * factor);
    for (let x = 0; x < out.width; x++) out.values[y * out.width + x] /= tall * Math.min(factor, width - x * factor);
  }
  return out;
}

/** Height and width at which the network sees a picture: its shape, and the area of a square of side `size`. */
export function networkSize(height, width, size, multiple) {
  let scale = size / Math.sqrt(height * width);
  const largest = Math.max(LARGEST * size * size, multiple * multiple);
  for (;;) {
    const [h, w] = [height, width].map((length) => Math.max(1, roundHalfEven(length * scale)));
    const area = padded(h, multiple) * padded(w, multiple);
    if (area <= largest) return [h, w];
    scale *= Math.max(0.5, Math.min(0.95, largest / area));
  }
}

const FADED = 50; // span of L, under which a photograph counts as faded
const FULL = [3, 97]; // where the darkest and lightest parts of a faded one are drawn to
const TAIL = 0.005; // of the pixels left out on either side
const STEEPEST = 4; // most contrast to be given

/** Draws the tones of a faded photograph apart; others are returned as they are. */
export function stretch(picture) {
  const sorted = picture.values.slice().sort();
  const [low, high] = [TAIL, 1 - TAIL].map((share) => quantile(sorted, share));
  const span = high - low;
  if (!(span > 0 && span < FADED)) return picture;
  const gain = Math.min(STEEPEST, (FULL[1] - FULL[0]) / span);
  const middle = (low + high) / 2;
  const half = (gain * span) / 2;
  const centre = Math.min(Math.max(middle, FULL[0] + half), FULL[1] - half);
  return { ...picture, values: picture.values.map((L) => clip(centre + gain * (L - middle))) };
}

/** What the network is shown: `size` pixels of the picture, its border repeated up to multiples. */
export function networkInput(picture, extent, size, multiple) {
  const columns = weights(extent[1], size[1], picture.width);
  const rows = weights(extent[0], size[0], picture.height);
  const narrow = plane(picture.height, size[1]);
  for (let y = 0; y < narrow.height; y++) {
    for (let x = 0; x < narrow.width; x++) {
      const { first, share } = columns[x];
      let sum = 0;
      for (let i = 0; i < share.length; i++) sum += share[i] * picture.values[y * picture.width + first + i];
      narrow.values[y * narrow.width + x] = sum;
    }
  }
  const out = plane(...size.map((length) => padded(length, multiple)));
  for (let y = 0; y < out.height; y++) {
    const { first, share } = rows[Math.min(y, size[0] - 1)];
    for (let x = 0; x < out.width; x++) {
      const column = Math.min(x, size[1] - 1);
      let sum = 0;
      for (let i = 0; i < share.length; i++) sum += share[i] * narrow.values[(first + i) * narrow.width + column];
      out.values[y * out.width + x] = clip(sum);
    }
  }
  return out;
}

/** Pillow's bicubic filter, which averages where it reduces: for each of `count` pixels the first source and shares. */
function weights(extent, count, length) {
  const scale = extent / count;
  const wide = Math.max(1, scale);
  return Array.from({ length: count }, (_, pixel) => {
    const centre = (pixel + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - 2 * wide + 0.5));
    const last = Math.min(length, Math.trunc(centre + 2 * wide + 0.5));
    const share = Array.from({ length: last - first }, (_, i) => bicubic((first + i - centre + 0.5) / wide));
    const sum = share.reduce((one, other) => one + other);
    return { first, share: share.map((value) => value / sum) };
  });
}

function bicubic(x) {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  return below + (place % 1) * (sorted[Math.ceil(place)] - below);
}

const clip = (L) => Math.min(100, Math.max(0, L));
const padded = (length, multiple) => Math.ceil(length / multiple) * multiple;

/** As Python rounds. */
export function roundHalfEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

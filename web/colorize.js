// A photograph's pixels with colours: src/tintype/runtime/colorizer.py, for a photograph without borders.

import { lightness, paint } from "./lab.js";
import { networkInput, networkSize, reduceLightness, reduction, stretch } from "./network_input.js";
import { upsample } from "./upsample.js";

/**
 * Colorize RGBA pixels, in place. Their lightness and alpha stay; colours that they have are replaced.
 * @param {ImageData} picture
 * @param model {facts, run}: the bundle's metadata, and a function from lightness to ab, both as planes
 */
export async function colorize(picture, { facts, run }) {
  const { height, width } = picture;
  const factor = reduction(height, width, facts.input_size);
  const guide = reduceLightness(picture, factor);
  const extent = [height / factor, width / factor];
  const seen = networkSize(...extent, facts.input_size, facts.multiple);
  const shown = networkInput(stretch(guide), extent, seen, facts.multiple);

  const shape = seen.map((length) => Math.ceil(length / facts.stride));
  const ab = crop(await run(shown), shown.width / facts.stride, shape);
  const pixels = extent.map((length, axis) => length / seen[axis]); // of the guide, for one that the network sees
  const [origin, stride] = [facts.ab_origin, facts.stride].map((cells) => pixels.map((one) => cells * one));
  merge(picture, factor, guide, upsample(ab, shape, guide, extent, origin, stride));
}

/** The cells that are of the picture, not of its padding: a and b. */
function crop(values, width, [rows, columns]) {
  const channel = values.length / 2;
  return [0, 1].map((number) =>
    Float32Array.from({ length: rows * columns }, (_, at) =>
      values[number * channel + Math.floor(at / columns) * width + (at % columns)]));
}

/** Paints ab = A L + B, with A and B interpolated bilinearly between the centres of blocks of factor x factor pixels. */
function merge({ data, height, width }, factor, guide, [a, b]) {
  const across = Array.from({ length: width }, (_, x) => between(x, factor, guide.width));
  const lines = [a.slope, a.offset, b.slope, b.offset].map((source) => ({ source, line: new Float32Array(guide.width) }));
  for (let y = 0, at = 0; y < height; y++) {
    const [above, below, down] = between(y, factor, guide.height);
    for (const { source, line } of lines) {
      for (let x = 0; x < guide.width; x++) {
        const top = source.values[above * guide.width + x];
        line[x] = top + down * (source.values[below * guide.width + x] - top);
      }
    }
    const [aSlope, aOffset, bSlope, bOffset] = lines.map(({ line }) => line);
    for (let x = 0; x < width; x++, at += 4) {
      const [left, right, share] = across[x];
      const L = lightness(data, at);
      const mix = (line) => line[left] + share * (line[right] - line[left]);
      paint(L, mix(aSlope) * L + mix(aOffset), mix(bSlope) * L + mix(bOffset), data, at);
    }
  }
}

/** The blocks before and after a pixel, and the share of the latter. */
function between(pixel, factor, count) {
  const place = Math.min(count - 1, Math.max(0, (pixel + 0.5) / factor - 0.5));
  const before = Math.floor(place);
  return [before, Math.min(count - 1, before + 1), place - before];
}

// Colour from the network's cells to the photograph's edges: src/tintype/runtime/upsample.py, where the steps are told.

import { plane, roundHalfEven } from "./network_input.js";

const NEARNESS = 0.5; // standard deviation in space, in cells
const CONTRAST = 0.2; // standard deviation in lightness, as a share of the photograph's own
const FLATTEST = 1.5; // limits of the latter, in L
const STEEPEST = 6;
const UNLIKE = 5; // -log of the least weight for lightness

/**
 * Coefficients that give ab at every pixel of the guide from lightness: ab = A L + B.
 * @param {Float32Array[]} ab a and b of the cells, row by row
 * @param {number[]} shape rows and columns of cells
 * @param guide plane of CIE L
 * @param {number[]} extent height and width of the picture, in pixels of the guide
 * @param {number[]} origin where the centre of cell (0, 0) lies, in the same pixels, down and across
 * @param {number[]} stride from one cell to the next
 * @returns for a and for b, {slope, offset}: planes as the guide
 */
export function upsample(ab, shape, guide, extent, origin, stride) {
  const rows = new Cells(shape[0], origin[0], stride[0], extent[0], guide.height);
  const columns = new Cells(shape[1], origin[1], stride[1], extent[1], guide.width);
  const mean = guide.values.reduce((sum, L) => sum + L, 0) / guide.values.length;
  const variance = guide.values.reduce((sum, L) => sum + (L - mean) ** 2, 0) / guide.values.length;
  const deviation = Math.min(STEEPEST, Math.max(FLATTEST, CONTRAST * Math.sqrt(variance)));

  const weights = bilateralWeights(guide, cellMeans(guide, rows, columns), rows, columns, deviation);
  return ab.map((cells) => {
    const colour = plane(guide.height, guide.width);
    spread(cells, weights, rows, columns, colour);
    const reached = cellMeans(colour, rows, columns);
    spread(cells.map((value, i) => value - reached[i]), weights, rows, columns, colour);
    return guidedFit(guide, colour, mean, (deviation / 2) ** 2);
  });
}

/** The network's cells along one axis of the guide. */
class Cells {
  constructor(count, origin, stride, extent, length) {
    this.count = count;
    this.numbers = new Int32Array(3 * length); // of the nearest cell to each pixel, and of those on either side
    this.far = new Float64Array(3 * length); // minus the logarithm of their weights
    for (let pixel = 0; pixel < length; pixel++) {
      const place = (pixel + 0.5 - origin) / stride;
      const nearest = roundHalfEven(place);
      for (let step = -1; step <= 1; step++) {
        this.numbers[3 * pixel + step + 1] = Math.min(count - 1, Math.max(0, nearest + step));
        this.far[3 * pixel + step + 1] = (place - nearest - step) ** 2 / (2 * NEARNESS ** 2);
      }
    }
    const edge = (cell) => Math.min(extent, Math.max(0, origin + stride * (cell - 0.5)));
    this.shares = Array.from({ length: count }, (_, cell) => {
      const begin = Math.min(edge(cell), extent - 1e-3); // a cell that is wholly outside has the border
      const end = Math.max(edge(cell + 1), begin + 1e-3);
      const first = Math.floor(begin);
      const covered = Array.from({ length: Math.min(Math.ceil(end), length) - first }, (_, i) =>
        (Math.min(end, first + i + 1) - Math.max(begin, first + i)) / (end - begin));
      return { first, covered };
    });
  }
}

/** Means of a plane over the cells, by the share of each pixel that they cover. */
function cellMeans(picture, rows, columns) {
  const tall = new Float64Array(rows.count * picture.width);
  rows.shares.forEach(({ first, covered }, cell) => {
    covered.forEach((share, i) => {
      for (let x = 0; x < picture.width; x++) {
        tall[cell * picture.width + x] += share * picture.values[(first + i) * picture.width + x];
      }
    });
  });
  const out = new Float32Array(rows.count * columns.count);
  for (let row = 0; row < rows.count; row++) {
    columns.shares.forEach(({ first, covered }, cell) => {
      const sum = covered.reduce((total, share, i) => total + share * tall[row * picture.width + first + i], 0);
      out[row * columns.count + cell] = sum;
    });
  }
  return out;
}

/** Nine weights for each pixel, of the cells around it: by nearness, and by how close their lightness is to its own. */
function bilateralWeights(guide, cellLightness, rows, columns, deviation) {
  const weights = new Float32Array(9 * guide.values.length);
  for (let y = 0, at = 0; y < guide.height; y++) {
    for (let x = 0; x < guide.width; x++, at += 9) {
      const L = guide.values[y * guide.width + x];
      let sum = 0;
      for (let j = 0; j < 3; j++) {
        for (let i = 0; i < 3; i++) {
          const cell = rows.numbers[3 * y + j] * columns.count + columns.numbers[3 * x + i];
          const unlike = (0.5 / deviation ** 2) * (L - cellLightness[cell]) ** 2;
          const w = Math.exp(-Math.min(unlike, UNLIKE) - rows.far[3 * y + j] - columns.far[3 * x + i]);
          weights[at + 3 * j + i] = w;
          sum += w;
        }
      }
      for (let k = 0; k < 9; k++) weights[at + k] /= sum;
    }
  }
  return weights;
}

/** Adds to every pixel the weighted mean of the cells around it. */
function spread(cells, weights, rows, columns, out) {
  for (let y = 0, at = 0, pixel = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++, pixel++) {
      let sum = 0;
      for (let j = 0; j < 3; j++) {
        const row = rows.numbers[3 * y + j] * columns.count;
        for (let i = 0; i < 3; i++, at++) sum += weights[at] * cells[row + columns.numbers[3 * x + i]];
      }
      out.values[pixel] += sum;
    }
  }
}

/** A and B of the guided filter with 3x3 windows, averaged over the windows that hold each pixel. */
function guidedFit(guide, colour, level, regularization) {
  const derive = (values) => ({ ...guide, values });
  const centred = guide.values.map((L) => L - level);
  const mean = box(derive(centred));
  const square = box(derive(centred.map((L) => L * L)));
  const colourMean = box(colour);
  const product = box(derive(centred.map((L, i) => L * colour.values[i])));
  const a = mean.map((m, i) => (product[i] - m * colourMean[i]) / (square[i] - m * m + regularization));
  const slope = box(derive(a));
  const offset = box(derive(a.map((value, i) => colourMean[i] - value * mean[i]))).map((b, i) => b - slope[i] * level);
  return { slope: derive(slope), offset: derive(offset) };
}

/** Mean over 3x3 pixels; outside, the border's pixels are repeated. */
function box({ height, width, values }) {
  const sideways = new Float32Array(values.length);
  const out = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      sideways[at] = values[at - (x > 0)] + values[at] + values[at + (x < width - 1)];
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      out[at] = (sideways[at - (y > 0 ? width : 0)] + sideways[at] + sideways[at + (y < height - 1 ? width : 0)]) / 9;
    }
  }
  return out;
}

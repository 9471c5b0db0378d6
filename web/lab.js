// CIE Lab, D65: the constants of src/tintype/color/lab.py, and lightness and painting by tables as the runtime does it.

const RGB_TO_Y = [0.212671, 0.71516, 0.072169];
const XYZ_TO_RGB = [
  [3.240481343200527, -1.5371515162713187, -0.49853632616888785],
  [-0.9692549499965687, 1.8759900014898907, 0.04155592655829284],
  [0.05564663913517717, -0.20404133836651123, 1.0573110696453443],
];
const [WHITE_X, WHITE_Z] = [0.95047, 1.08883];
const LEVELS = 1 << 15; // of linear light, in the table of sRGB's bytes

const luminance = RGB_TO_Y.map((weight) =>
  Float64Array.from({ length: 256 }, (_, level) => {
    const v = level / 255;
    return weight * (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);
  }),
);

const encoded = Uint8ClampedArray.from({ length: LEVELS + 1 }, (_, level) => {
  const v = level / LEVELS;
  return 255 * (v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v); // which rounds
});

/** CIE L, [0, 100], of the pixel that begins at `at` in RGBA bytes. */
export function lightness(rgba, at) {
  const y = luminance[0][rgba[at]] + luminance[1][rgba[at + 1]] + luminance[2][rgba[at + 2]];
  return 116 * (y > 0.008856 ? Math.cbrt(y) : 7.787 * y + 16 / 116) - 16;
}

const cube = (f) => (f > 0.2068966 ? f * f * f : (f - 16 / 116) / 7.787);

/**
 * Put the colour L, a, b into RGBA bytes at `at`; alpha stays as it is.
 * A colour outside of sRGB is mixed with the grey of its luminance until it is inside, so that lightness stays.
 */
export function paint(L, a, b, rgba, at) {
  const fy = (L + 16) / 116;
  const x = WHITE_X * cube(fy + a / 500);
  const y = cube(fy);
  const z = WHITE_Z * cube(fy - b / 200);
  const [[rx, ry, rz], [gx, gy, gz], [bx, by, bz]] = XYZ_TO_RGB;
  const red = rx * x + ry * y + rz * z;
  const green = gx * x + gy * y + gz * z;
  const blue = bx * x + by * y + bz * z;
  const high = Math.max(red, green, blue);
  const low = Math.min(red, green, blue);
  let share = 1;
  if (high > 1) share = (1 - y) / (high - y);
  if (low < 0) share = Math.min(share, y / (y - low));
  share = Math.max(0, share);
  const level = (value) => encoded[Math.round(LEVELS * Math.min(1, Math.max(0, y + share * (value - y))))];
  rgba[at] = level(red);
  rgba[at + 1] = level(green);
  rgba[at + 2] = level(blue);
}

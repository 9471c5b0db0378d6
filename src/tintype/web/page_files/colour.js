// Between what a colour chooser gives and CIE ab, and what a colour is called.

import { words } from "./words.js";

const linear = (v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);
const f = (t) => (t > 0.008856451679 ? Math.cbrt(t) : 7.787037037 * t + 16 / 116);

/** CIE a and b of "#rrggbb". */
export function abOf(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => linear(parseInt(hex.slice(at, at + 2), 16) / 255));
  const x = f((0.412453 * r + 0.35758 * g + 0.180423 * b) / 0.95047);
  const y = f(0.212671 * r + 0.71516 * g + 0.072169 * b);
  const z = f((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
  return { a: 500 * (x - y), b: 200 * (y - z) };
}

export const hexOf = (rgb) => `#${rgb.map((level) => level.toString(16).padStart(2, "0")).join("")}`;

/** A word for it. */
export function nameOf({ a, b }) {
  const chroma = Math.hypot(a, b), degrees = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
  if (chroma < 7) return words.hueNone;
  const hue = words.hues.find(([end]) => degrees < end)[1];
  return chroma < 20 ? words.huePale(hue) : hue;
}

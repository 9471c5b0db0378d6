"""Figure 3 as SVG: a bar for each layer's median, with whiskers from quartile to quartile."""

from collections.abc import Mapping
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 44, 240, 46, 66, 14


def plot(layers: Mapping[str, Mapping[str, float | int]]) -> str:
    """An SVG picture.

    Args:
        layers: median, lower_quartile and upper_quartile of each, in [-1, 1].
    """
    lowest = min(0.0, *(float(each["lower_quartile"]) for each in layers.values()))

    def y(value: float) -> float:
        return TOP + HEIGHT * (1 - value) / (1 - lowest)

    parts = []
    ticks = [tick / 4 for tick in range(4 * int(lowest - 0.999), 5) if tick / 4 >= lowest]
    right = LEFT + WIDTH * len(layers)
    for tick in ticks:
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for i, (name, each) in enumerate(layers.items()):
        x = LEFT + WIDTH * (i + 0.5)
        low, middle, high = (float(each[key]) for key in ("lower_quartile", "median", "upper_quartile"))
        if middle == middle:  # not every unit is constant
            top, size = min(y(middle), y(0)), abs(y(middle) - y(0))
            parts.append(f'<rect x="{x - 13:.1f}" y="{top:.1f}" width="26" height="{size:.1f}" fill="#6b8fb3"/>')
            whisker = f"M{x:.1f} {y(low):.1f}V{y(high):.1f}M{x - 5:.1f} {y(low):.1f}h10M{x - 5:.1f} {y(high):.1f}h10"
            parts.append(f'<path d="{whisker}" stroke="#222" fill="none"/>')
        base = TOP + HEIGHT + 12
        turned = f"translate({x + 3:.1f} {base}) rotate(-45)"
        parts.append(f'<text transform="{turned}" text-anchor="end">{escape(name)}</text>')
    parts.append(f'<path d="M{LEFT} {TOP}V{TOP + HEIGHT}" stroke="#222"/>')
    box = f"{right + 10} {TOP + HEIGHT + BOTTOM}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {box}" font-family="sans-serif" font-size="12" '
        f'role="img"><title>Correlation of units before and after fine-tuning</title>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )

"""Charts as SVG: bars for systems side by side, lines for what changes with something."""

import math
from xml.sax.saxutils import escape

COLORS = {"treadle": "#0b7285", "jax-scan": "#e8590c", "jax-step": "#f4a261", "torch": "#c92a2a",
          "torch-compile": "#e57373", "keras": "#862e9c", "scikit-learn": "#2b8a3e"}
OTHERS = ["#0b7285", "#e8590c", "#c92a2a", "#862e9c", "#2b8a3e", "#5c677d"]


def bars(results):
    """For each workload the speed of every system, relative to the best peer."""
    row, gap, left, width = 15, 20, 210, 560
    most = max((v / best(r) for r in results for v in r["speeds"].values()), default=1)
    y, parts = 40, []
    for result in results:
        title = f"{result['workload']}, {result['cores']} core{'s' if result['cores'] > 1 else ''}"
        parts.append(text(10, y + 12, title, weight=600))
        y += 20
        for name, speed in sorted(result["speeds"].items(), key=lambda item: -item[1]):
            share = speed / best(result)
            parts.append(text(left - 8, y + 11, name, anchor="end"))
            parts.append(f'<rect x="{left}" y="{y}" width="{max(1, share / most * width):.1f}" height="{row - 3}" '
                         f'fill="{COLORS.get(name, "#888")}"/>')
            parts.append(text(left + share / most * width + 6, y + 11, f"{speed:,.0f}/s · {share:.2f}×"))
            y += row
        y += gap
    return whole("Samples a second, relative to the best peer", left + width + 190, y, parts)


def best(result):
    return max((v for n, v in result["speeds"].items() if n != "treadle"), default=result["speeds"]["treadle"])


def lines(title, across, series, dashed=()):
    """Curves on logarithmic axes: `series` has (x, y) pairs by name."""
    points = [p for all in series.values() for p in all if p[1] > 0]
    if not points:
        return whole(title, 400, 60, [])
    left, top, width, height = 80, 40, 560, 320
    (x_low, x_high), (y_low, y_high) = (span([p[axis] for p in points]) for axis in (0, 1))

    def place(x, y):
        return (left + (math.log(x) - math.log(x_low)) / (math.log(x_high) - math.log(x_low)) * width,
                top + height - (math.log(y) - math.log(y_low)) / (math.log(y_high) - math.log(y_low)) * height)

    parts = [f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#adb5bd"/>']
    for x in sorted({p[0] for p in points}):
        parts.append(text(place(x, y_low)[0], top + height + 18, short(x), anchor="middle"))
    for power in range(math.floor(math.log10(y_low)), math.ceil(math.log10(y_high)) + 1):
        for y in (10**power, 3 * 10**power):
            if y_low <= y <= y_high:
                at = place(x_low, y)[1]
                parts.append(f'<line x1="{left}" x2="{left + width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e9ecef"/>')
                parts.append(text(left - 8, at + 4, short(y), anchor="end"))
    parts.append(text(left + width / 2, top + height + 40, across, anchor="middle"))
    for number, (name, all) in enumerate(series.items()):
        color = OTHERS[number % len(OTHERS)]
        dash = ' stroke-dasharray="5 4"' if name in dashed else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in sorted(all) if p[1] > 0))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
        if not dash:
            parts += [f'<circle cx="{place(*p)[0]:.1f}" cy="{place(*p)[1]:.1f}" r="3" fill="{color}"/>'
                      for p in all if p[1] > 0]
        at = top + 14 + 18 * number
        parts.append(f'<line x1="{left + width + 14}" x2="{left + width + 38}" y1="{at - 4}" y2="{at - 4}" '
                     f'stroke="{color}" stroke-width="2"{dash}/>')
        parts.append(text(left + width + 44, at, name))
    return whole(title, left + width + 260, max(top + height + 56, top + 20 + 18 * len(series)), parts)


def span(values):
    low, high = min(values), max(values)
    return (low / 1.2, high * 1.2)


def short(value):
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 10 * size or value == size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def text(x, y, words, anchor="start", weight=400):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def whole(title, width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" font-family="system-ui, sans-serif" font-size="12" role="img">'
            f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>'
            f'<text x="10" y="22" font-size="15" font-weight="600">{escape(title)}</text>' + "".join(parts) + "</svg>\n")

"""A bar chart as SVG: for each workload the speed of every system, relative to the best peer."""

from xml.sax.saxutils import escape

COLORS = {"treadle": "#0b7285", "jax-scan": "#e8590c", "jax-step": "#f4a261", "torch": "#c92a2a",
          "torch-compile": "#e57373", "keras": "#862e9c", "scikit-learn": "#2b8a3e"}


def bars(results):
    row, gap, left, width = 15, 20, 210, 560
    most = max((v / best(r) for r in results for v in r["speeds"].values()), default=1)
    y, parts = 40, []
    for result in results:
        title = f"{result['workload']}, {result['cores']} core{'s' if result['cores'] > 1 else ''}"
        parts.append(f'<text x="10" y="{y + 12}" font-weight="600">{escape(title)}</text>')
        y += 20
        for name, speed in sorted(result["speeds"].items(), key=lambda item: -item[1]):
            share = speed / best(result)
            parts.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{left}" y="{y}" width="{max(1, share / most * width):.1f}" height="{row - 3}" '
                         f'fill="{COLORS.get(name, "#888")}"/>')
            parts.append(f'<text x="{left + share / most * width + 6:.1f}" y="{y + 11}">{speed:,.0f}/s · {share:.2f}×</text>')
            y += row
        y += gap
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 190}" height="{y}" '
            'font-family="system-ui, sans-serif" font-size="12" role="img">'
            '<title>Samples a second, relative to the best peer</title>'
            f'<rect width="100%" height="100%" fill="white"/>'
            '<text x="10" y="22" font-size="15" font-weight="600">Samples a second of whole training steps, '
            'relative to the best peer</text>' + "".join(parts) + "</svg>\n")


def best(result):
    return max((v for n, v in result["speeds"].items() if n != "treadle"), default=result["speeds"]["treadle"])

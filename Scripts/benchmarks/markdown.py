"""Markdown tables."""


def table(heads, rows):
    """Heads that begin with ">" are of columns of numbers."""
    lines = ["| " + " | ".join(h.removeprefix(">") for h in heads) + " |",
             "|" + "".join("---:|" if h.startswith(">") else "---|" for h in heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=0):
    return "—" if value is None else f"{value:,.{digits}f}"


def times(value):
    return "—" if value is None else f"**{value:.2f}×**" if value < 100 else f"**{value:,.0f}×**"


def percent(value):
    return "—" if value is None else f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def duration(seconds):
    if seconds is None:
        return "—"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.0f} ms"


def megabytes(count):
    return "—" if count is None else f"{count / 1e6:,.0f} MB"


def cores(count):
    return f"{count} core{'s' if count > 1 else ''}"

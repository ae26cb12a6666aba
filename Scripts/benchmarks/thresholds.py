"""What the project has reached and must not fall behind: ratios to the best peer, and instructions."""

import json

from loading import against_usual
from systems import HERE

PATH = HERE / "thresholds.json"


def found(results):
    """What was measured, in the form in which thresholds.json keeps it."""
    ratios = {}
    for result in results.get("steps", []):
        if result["cores"] == 1 and result["ratio"]:
            ratios[result["workload"]] = round(result["ratio"], 2)
    return {"ratios": ratios, "instructions": {
        name: round(value) for name, value in results.get("instructions", {}).get("counts", {}).items()},
        "loading": {
            r["form"]: round(against_usual(r), 1)
            for r in results.get("loading", {}).get("reading", []) if against_usual(r)}}


def failures(results):
    """A line for each figure that is worse than its threshold allows."""
    kept, now, lines = json.loads(PATH.read_text()), found(results), []
    for name, value in now["ratios"].items():
        least = kept["ratios"].get(name, 0) * (1 - kept["margin"]["ratios"])
        if value < least:
            lines.append(f"{name}: {value:.2f}× the best peer on one core; {kept['ratios'][name]:.2f}× was reached, "
                         f"and {least:.2f}× is the least allowed")
    for name, value in now["instructions"].items():
        most = kept["instructions"].get(name, float("inf")) * (1 + kept["margin"]["instructions"])
        if value > most:
            lines.append(f"{name}: {value:,} instructions a step; {kept['instructions'][name]:,} were enough, "
                         f"and {most:,.0f} are the most allowed")
    for name, value in now["loading"].items():
        least = kept["loading"].get(name, 0)
        if value < least:
            lines.append(f"reading, {name}: {value:.0f}× PyTorch's DataLoader over h5py, and {least:.0f}× is demanded")
    return lines


def record(results):
    """Keeps what was measured as what must be reached; what loading must reach stays as it was demanded."""
    kept, now = json.loads(PATH.read_text()), found(results)
    for part in ("ratios", "instructions"):
        kept[part] |= now[part]
    PATH.write_text(json.dumps(kept, indent=1) + "\n")

"""What the project has reached and must not fall behind: ratios to the best peer on each CPU, and instructions."""

import datetime
import json

import machine
from loading import against_usual
from systems import HERE

PATH = HERE / "thresholds.json"
MAKERS = ["AuthenticAMD", "GenuineIntel"]


def found(results):
    """What was measured, in the form in which thresholds.json keeps it; ratios are by number of cores and workload."""
    ratios = {}
    for result in results.get("steps", []):
        if result["ratio"]:
            ratios.setdefault(str(result["cores"]), {})[result["workload"]] = round(result["ratio"], 2)
    return {"ratios": ratios, "instructions": {
        name: round(value) for name, value in results.get("instructions", {}).get("counts", {}).items()},
        "loading": {
            r["form"]: round(against_usual(r), 1)
            for r in results.get("loading", {}).get("reading", []) if against_usual(r)}}


def failures(results):
    """A line for each figure that is worse than its threshold allows, on a CPU of this family."""
    kept, now, lines = json.loads(PATH.read_text()), found(results), []
    here = kept["cpus"].get(machine.family(), {"ratios": {}})
    for cores, ratios in now["ratios"].items():
        for name, value in ratios.items():
            reached = here["ratios"].get(cores, {}).get(name, 0)
            least = reached * (1 - kept["margin"]["ratios"])
            if value < least:
                lines.append(f"{name}: {value:.2f}× the best peer on {cores} core{'' if cores == '1' else 's'}; "
                             f"{reached:.2f}× was reached, and {least:.2f}× is the least allowed")
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


def known():
    """Which CPUs there are ratios of, and which makers none: a figure of one says nothing about another."""
    cpus = json.loads(PATH.read_text())["cpus"]
    lines = [f"{cpu['name']} ({family}), {cpu['date']}" for family, cpu in cpus.items()]
    text = "Ratios that must be kept are known of " + "; ".join(lines) + "."
    if machine.family() not in cpus:
        text += f" Of this machine's family ({machine.family()}) none is: --record keeps what is measured."
    for maker in MAKERS:
        if not any(family.startswith(maker) for family in cpus):
            text += f" No CPU of {maker} was measured."
    return text


def record(results):
    """Keeps what was measured as what must be reached; what loading must reach stays as it was demanded."""
    kept, now = json.loads(PATH.read_text()), found(results)
    kept["instructions"] |= now["instructions"]
    if now["ratios"]:
        here = kept["cpus"].setdefault(machine.family(), {"name": machine.processor(), "ratios": {}})
        here["date"] = str(datetime.date.today())
        for cores, ratios in now["ratios"].items():
            here["ratios"][cores] = here["ratios"].get(cores, {}) | ratios
    PATH.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

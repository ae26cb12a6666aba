"""Systems on one case, side by side.

Every system trains the same network on the same data from the same weights, and its first 20 losses are compared
before anything is timed. The systems take turns, round after round, in an order that rotates; figures are medians over
the rounds, and ratios are medians of the ratios within a round, so that a machine whose speed drifts does not matter.
"""

import contextlib
import statistics

from systems import System, SystemFailed

TOLERANCE = 2e-3


@contextlib.contextmanager
def running(case, names, cores, tolerance=TOLERANCE):
    """Systems that have shown that they do the same work, by name, and why the others were left out."""
    systems, left_out = {}, {}
    try:
        for name in names:
            try:
                systems[name] = System(name, case, cores)
            except SystemFailed as failure:
                leave_out(name, failure, left_out)
        for name, system in list(systems.items()):
            worst = max(abs(a - b) / max(abs(b), 1e-3) for a, b in zip(systems["treadle"].losses, system.losses))
            if not worst <= tolerance:  # NaN is left out too
                leave_out(name, f"other losses, by {worst:.1%}", left_out)
                systems.pop(name).close()
        yield systems, left_out
    finally:
        for system in systems.values():
            system.close()


def take_turns(systems, left_out, rounds, ask):
    """Every system's answers to `ask`, round after round; one that fails is left out from then on."""
    answers = {name: [] for name in systems}
    for number in range(rounds):
        names = list(systems)
        for place in range(len(names)):
            name = names[(place + number) % len(names)]
            try:
                answers[name].append(ask(systems[name]))
            except SystemFailed as failure:
                leave_out(name, failure, left_out)
                systems.pop(name).close()
                answers.pop(name)
    return answers


def leave_out(name, why, left_out):
    """Peers may fail and are named in the report; without Treadle there is nothing to compare."""
    if name == "treadle":
        raise RuntimeError(f"treadle: {why}")
    left_out[name] = str(why)


def compare(case, names, cores, rounds, seconds, command="run", tolerance=TOLERANCE, aside=()):
    """Speeds in samples a second. Systems that are measured `aside` are no peers: the ratio does not look at them."""
    with running(case, names, cores, tolerance) as (systems, left_out):
        first = {name: system.first_seconds for name, system in systems.items()}
        versions = {name: system.version for name, system in systems.items()}
        answers = take_turns(systems, left_out, rounds, lambda system: system.tell(command, seconds))
    speeds = {n: [a["samples"] / a["seconds"] for a in all] for n, all in answers.items()}
    ratios = []
    peers = [n for n in speeds if n != "treadle" and n not in aside]
    if peers:
        ratios = [own / max(speeds[n][turn] for n in peers)
                  for turn, own in enumerate(speeds["treadle"])]
    shares = [a["in_loader"] / a["seconds"] for a in answers["treadle"] if "in_loader" in a]
    return {
        "workload": case.workload.name, "cores": len(cores),
        "speeds": {n: statistics.median(v) for n, v in speeds.items()},
        "spread": {n: [min(v), max(v)] for n, v in speeds.items()},
        "ratio": statistics.median(ratios) if ratios else None,
        "in_loader": statistics.median(shares) if shares else None,
        "first_seconds": {n: first[n] for n in speeds},
        "peak_bytes": {n: max(a["peak_bytes"] for a in all) for n, all in answers.items()},
        "versions": versions, "left_out": left_out,
    }


def left_out_line(results):
    """What could not be compared, as a sentence; nothing where all could."""
    left = [f"{name} on {r['workload']}, {r['cores']} core(s) ({why})"
            for r in results for name, why in r["left_out"].items()]
    return "\nLeft out: " + "; ".join(left) + ".\n" if left else ""

"""What training keeps of its speed when another process takes one of its cores."""

import contextlib
import statistics
import subprocess
import sys

import markdown
from cases import made_up
from compare import left_out_line, running
from workloads import named

TITLE = "Beside a busy process"
SYSTEMS = ["treadle", "jax-scan", "torch"]
WORKLOADS = ["mlp512-b128-sgd", "mlp256-b32-momentum"]


def measure(plan, say):
    results = []
    for name in WORKLOADS:
        with made_up(named(name), plan.directory) as case, running(case, SYSTEMS, plan.all) as (systems, left_out):
            kept = {system: [] for system in systems}
            # Quiet and busy in turns, so that a machine whose speed drifts does not matter.
            for _ in range(plan.rounds):
                for system, process in systems.items():
                    quiet = speed(process, plan.seconds)
                    with busy(plan.cores[0]):
                        kept[system].append(speed(process, plan.seconds) / quiet)
        results.append({"workload": name, "cores": len(plan.all), "left_out": left_out,
                        "kept": {system: statistics.median(shares) for system, shares in kept.items()}})
        say(f"{name}: " + ", ".join(f"{s} {share:.0%}" for s, share in results[-1]["kept"].items()))
    return results


def speed(system, seconds):
    answer = system.tell("run", seconds)
    return answer["samples"] / answer["seconds"]


@contextlib.contextmanager
def busy(core):
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def report(data):
    return ("\nThe share of its own speed that each keeps, with another process always busy on one of the cores.\n\n"
            + markdown.table(["workload", ">cores"] + [">" + name for name in SYSTEMS],
                             [[r["workload"], r["cores"]] + [markdown.percent(r["kept"].get(n)) for n in SYSTEMS]
                              for r in data])
            + left_out_line(data))


def charts(_data):
    return {}

"""Prediction in memory against onnxruntime on the exported model: single rows, and batches of 1,024."""

import statistics
import subprocess
import sys

import markdown
from cases import made_up, philox
from compare import left_out_line, leave_out, take_turns
from systems import HERE, RELEASE, System, SystemFailed
from workloads import Workload

import numpy as np

TITLE = "Prediction"
BATCH = 1024
WORKLOADS = [
    Workload("784-512-512-10", (784, 512, 512, 10), 128, "sgd", 0.05, "cross_entropy", rows=128 * 32),
    Workload("32-64-64-1", (32, 64, 64, 1), 32, "sgd", 0.01, "mse", "tanh", rows=32 * 128),
    Workload("linear 1000-1", (1000, 1), 1024, "sgd", 1e-3, "mse", rows=1024 * 4),
]


def measure(plan, say):
    results = []
    for workload in WORKLOADS:
        model, rows = files(workload, plan)
        for count, cores in [(1, 1)] + [(BATCH, n) for n in plan.counts]:
            result = compare(model, rows, workload, count, plan.using(cores), plan)
            results.append(result)
            say(f"{workload.name}, {count} row(s), {cores} core(s): "
                + ", ".join(f"{n} {s * 1e6:,.2f} µs" for n, s in result["seconds"].items()))
    return results


def files(workload, plan):
    """A checkpoint without its suffix, its export beside it, and rows to predict."""
    model, rows = f"{plan.directory}/{workload.name.replace(' ', '-')}.model", f"{plan.directory}/{workload.name}.rows"
    with made_up(workload, plan.directory, {"normalize": "standard"}) as case:
        trainer = System("treadle", case, plan.using(1))
        trainer.tell("save", f"{model}.h5")
        trainer.close()
    subprocess.run([str(RELEASE / "treadle"), "export", f"{model}.h5", "-o", f"{model}.onnx"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    philox(22).standard_normal((4 * BATCH, workload.sizes[0]), dtype=np.float32).tofile(rows)
    return model, rows


def compare(model, rows, workload, count, cores, plan):
    """Seconds of a call, of each system."""
    threads, systems, left_out = str(len(cores)), {}, {}
    commands = {
        "treadle": [str(RELEASE / "TreadleBenchmarks"), "predict", f"{model}.h5", rows, threads],
        "onnxruntime": [sys.executable, str(HERE / "predict_onnx.py"), f"{model}.onnx", rows, threads],
    }
    try:
        for name, command in commands.items():
            try:
                systems[name] = System(name, None, cores, command)
            except SystemFailed as failure:
                leave_out(name, failure, left_out)
        versions = {name: system.version for name, system in systems.items()}
        if "onnxruntime" in systems:
            worst = max(abs(a - b) for a, b in zip(*(s.losses for s in systems.values())))
            if not worst <= 1e-3:
                leave_out("onnxruntime", f"other predictions, by {worst:.2g}", left_out)
                systems.pop("onnxruntime").close()
        answers = take_turns(systems, left_out, plan.rounds, lambda s: s.tell("run", count, plan.seconds))
    finally:
        for system in systems.values():
            system.close()
    seconds = {n: [a["seconds"] / a["calls"] for a in all] for n, all in answers.items()}
    ratios = [b / a for a, b in zip(seconds["treadle"], seconds.get("onnxruntime", []))]
    return {"workload": workload.name, "rows": count, "cores": len(cores), "versions": versions, "left_out": left_out,
            "seconds": {n: statistics.median(s) for n, s in seconds.items()},
            "ratio": statistics.median(ratios) if ratios else None}


def report(results):
    def micro(result, name):
        seconds = result["seconds"].get(name)
        return markdown.number(seconds and seconds * 1e6, 2 if seconds and seconds < 1e-4 else 0)

    rows = [[r["workload"], markdown.number(r["rows"]), r["cores"], micro(r, "treadle"), micro(r, "onnxruntime"),
             markdown.times(r["ratio"])] for r in results]
    return ("\n" + markdown.table([">network", ">rows", ">cores", ">Treadle, µs", ">onnxruntime, µs", ">ratio"], rows)
            + "\nMicroseconds of a call, and how many times as fast Treadle is. Treadle is called from Swift with an array "
            "and returns a new one; onnxruntime is called from Python, its inputs and outputs bound beforehand, so that "
            "its calls copy nothing.\n" + left_out_line(results))


def charts(results):
    return {}

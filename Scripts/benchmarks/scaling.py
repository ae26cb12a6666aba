"""How speed changes with threads, batch, width and rows, one at a time."""

from dataclasses import replace

import chart
import markdown
from cases import Case, made_up, sparse, write_weights
from compare import compare, left_out_line, running
from workloads import Workload, named

TITLE = "Scaling"
SYSTEMS = ["treadle", "jax-scan", "torch"]
BATCHES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
WIDTHS = [64, 128, 256, 512, 1024, 2048, 4096]
ROWS = [10**4, 10**5, 10**6, 10**7, 10**8]
LIMIT = "64MB"


def measure(plan, say):
    base = named("mlp512-b128-sgd")
    curves = {
        "batch": [replace(base, name=f"batch {b}", batch=b, rows=max(4096, 2 * b)) for b in BATCHES],
        "width": [replace(base, name=f"width {w}", sizes=(784, w, w, 10), rows=1024) for w in WIDTHS],
    }
    data = {axis: [] for axis in [*curves, "threads", "rows"]}
    for axis, workloads in curves.items():
        for workload in workloads:
            with made_up(workload, plan.directory) as case:
                for count in plan.counts:
                    data[axis].append(point(case, count, plan, say))
    for workload in (base, named("mlp1024-b1024-sgd")):
        with made_up(workload, plan.directory) as case:
            for count in thread_counts(len(plan.cores)):
                data["threads"].append(point(case, count, plan, say))
    data["rows"] = [rows_point(count, plan, say) for count in ROWS]
    return data


def point(case, count, plan, say):
    result = compare(case, SYSTEMS, plan.using(count), max(2, plan.rounds // 2), plan.seconds / 2)
    say(f"{case.workload.name}, {markdown.cores(count)}: {result['speeds']['treadle']:,.0f}/s")
    return result | {"sizes": case.workload.sizes, "batch": case.workload.batch}


def thread_counts(cores):
    """All of few; powers of two and all of many."""
    return list(range(1, cores + 1)) if cores <= 8 else sorted({1 << n for n in range(cores.bit_length())} | {cores})


def rows_point(rows, plan, say):
    """Treadle alone, on a file that takes no room, under a limit that most of them do not fit."""
    workload = Workload(f"{rows:,} rows", (8, 16, 1), 256, "sgd", 0.01, "mse", "relu", shuffled=True)
    case = Case(workload, sparse(rows, 8, plan.directory), write_weights(workload, plan.directory),
                settings={"memory_limit": LIMIT})
    with running(case, ["treadle"], plan.all) as (systems, left_out):
        answer = systems["treadle"].tell("run", 2 * plan.seconds)
        first = systems["treadle"].first_seconds
    say(f"{rows:,} rows: {answer['samples'] / answer['seconds']:,.0f}/s, {markdown.megabytes(answer['peak_bytes'])}")
    return {"rows": rows, "workload": workload.name, "cores": len(plan.all), "first_seconds": first,
            "left_out": left_out} | answer


def report(data):
    text = ""
    for axis, title in [("batch", "784-512-512-10, SGD, over the batch"),
                        ("width", "784-W-W-10, batch 128, SGD, over the width"), ("threads", "over threads")]:
        text += f"\n### {title}: samples a second\n\n![]({axis}.svg)\n\n"
        text += markdown.table(
            [axis if axis != "threads" else "workload", ">cores"] + [">" + n for n in SYSTEMS] + [">against the best peer"],
            [[r["workload"], r["cores"]] + [markdown.number(r["speeds"].get(n)) for n in SYSTEMS]
             + [markdown.times(r["ratio"])] for r in data[axis]])
    text += f"\n### 8-16-1 on bytes, batch 256, shuffled, over the rows; `data.memory_limit` {LIMIT}\n\n![](rows.svg)\n\n"
    text += markdown.table(
        [">rows", ">samples/s", ">peak memory", ">start to first step"],
        [[f"{r['rows']:,}", markdown.number(r["samples"] / r["seconds"]), markdown.megabytes(r["peak_bytes"]),
          markdown.duration(r["first_seconds"])] for r in data["rows"]])
    return text + left_out_line([r for all in data.values() for r in all])


def charts(data):
    def speeds(axis, place):
        series = {}
        for result in data[axis]:
            for name, speed in result["speeds"].items():
                label = f"{name}, {markdown.cores(result['cores'])}"
                series.setdefault(label, []).append((place(result), speed))
        return series

    threads = {}
    for result in data["threads"]:
        for name, speed in result["speeds"].items():
            threads.setdefault(f"{name}, {result['workload']}", []).append((result["cores"], speed))
    rows = data["rows"]
    return {
        "batch": chart.lines("784-512-512-10, SGD: samples a second", "batch", speeds("batch", lambda r: r["batch"])),
        "width": chart.lines("784-W-W-10, batch 128, SGD: samples a second", "width W",
                             speeds("width", lambda r: r["sizes"][1])),
        "threads": chart.lines("Samples a second", "threads", threads),
        "rows": chart.lines("Peak memory in MB, and thousands of samples a second", "rows", {
            "peak MB": [(r["rows"], r["peak_bytes"] / 1e6) for r in rows],
            "1,000 samples/s": [(r["rows"], r["samples"] / r["seconds"] / 1e3) for r in rows]}),
    }

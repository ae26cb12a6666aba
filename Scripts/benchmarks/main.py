"""Measures Treadle beside its peers, section by section, and writes tables and charts.

Every section's figures are kept as JSON as soon as they are there, so that `--render` writes the report anew, and a
section that fails takes no other with it.
"""

import argparse
import datetime
import json
import pathlib
import platform
import sys
import tempfile
import time
import traceback

import accuracy
import bfloat16
import checkpoints
import cost_model
import decoding
import epochs
import instructions
import loading
import machine
import markdown
import members
import neighbour
import predict
import scaling
import steps
import tables
import thresholds
from plan import Plan, available_cores
from workloads import WORKLOADS, named

SECTIONS = {"steps": steps, "epochs": epochs, "bfloat16": bfloat16, "accuracy": accuracy, "loading": loading,
            "decoding": decoding, "checkpoints": checkpoints, "predict": predict, "scaling": scaling, "members": members,
            "neighbour": neighbour, "cost_model": cost_model, "instructions": instructions, "tables": tables}
QUICK = ["steps", "loading", "instructions"]
# Hours, and packages of its own: only where it is asked for.
ONLY_ALONE = ["tables"]


def arguments():
    parser = argparse.ArgumentParser(prog="Scripts/benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="one core and the strongest peers, and fail where a committed threshold is missed")
    parser.add_argument("--record", action="store_true", help="write what was reached into thresholds.json")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="a section; several by repeating it")
    parser.add_argument("--workload", action="append", help="of the steps: " + ", ".join(w.name for w in WORKLOADS))
    parser.add_argument("--peer", action="append", choices=steps.PEERS + bfloat16.PEERS + tables.PEERS,
                        help="one of those a section compares with; several by repeating it")
    parser.add_argument("--table", action="append", help="of the tables; several by repeating it")
    parser.add_argument("--cores", action="append", type=int, help="how many cores; 1 and all unless given")
    parser.add_argument("--rounds", type=int, help="runs of each system, interleaved")
    parser.add_argument("--seconds", type=float, help="of one run")
    parser.add_argument("--output", help="the directory of the results; .build/benchmark, or with --quick "
                                         ".build/benchmark-quick, unless given")
    parser.add_argument("--render", action="store_true", help="write the report from the figures that are there")
    return parser.parse_args()


def main():
    options = arguments()
    output = pathlib.Path(options.output or (".build/benchmark-quick" if options.quick else ".build/benchmark"))
    (output / "figures").mkdir(parents=True, exist_ok=True)
    cores = available_cores()
    failed = []
    if not options.render:
        with tempfile.TemporaryDirectory(prefix="treadle-benchmark-") as directory:
            plan = Plan(
                quick=options.quick, rounds=options.rounds or (3 if options.quick else 5),
                seconds=options.seconds or (0.5 if options.quick else 1.0), cores=cores,
                counts=options.cores or ([1] if options.quick else sorted({1, len(cores)})), directory=directory,
                workloads=[named(n) for n in options.workload] if options.workload else None, peers=options.peer,
                tables=options.table)
            usual = QUICK if options.quick else [name for name in SECTIONS if name not in ONLY_ALONE]
            failed = measure(options.only or usual, plan, output)
    results = {name: json.loads(figures(output, name).read_text()) for name in SECTIONS if figures(output, name).exists()}
    write(results, output)
    if options.record:
        thresholds.record({name: result["data"] for name, result in results.items()})
    print(f"{output}/benchmark.md", file=sys.stderr)
    print(thresholds.known(), file=sys.stderr)
    missed = thresholds.failures({n: r["data"] for n, r in results.items()}) if options.quick else []
    for name in ("epochs", "tables"):
        if name in results:
            missed += SECTIONS[name].failures(results[name]["data"])
    for line in missed:
        print(f"not reached: {line}", file=sys.stderr)
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if missed or failed else 0


def figures(output, name):
    return output / "figures" / f"{name}.json"


def measure(names, plan, output):
    """Measures the sections and keeps their figures; returns what failed."""
    failed = []
    for name in names:
        begun = time.perf_counter()

        def say(line):
            print(f"[{name} {time.perf_counter() - begun:.0f} s] {line}", file=sys.stderr, flush=True)

        say("…")
        figures(output, name).unlink(missing_ok=True)
        try:
            extra = [json.loads(figures(output, "scaling").read_text())["data"]] if name == "cost_model" else []
            data = SECTIONS[name].measure(plan, say, *extra)
        except Exception as error:  # the other sections are worth having
            traceback.print_exc()
            failed.append(f"{name}: {error}")
            continue
        figures(output, name).write_text(json.dumps({
            "data": data, "seconds": time.perf_counter() - begun, "date": str(datetime.date.today()),
            "rounds": plan.rounds, "run_seconds": plan.seconds, "cores": len(plan.cores),
            "machine": {count: plan.speed(count) for count in plan.counts}}, indent=1))
    return failed


def write(results, output):
    versions = sorted({v for r in results.get("steps", {}).get("data", []) for v in r["versions"].values()})
    text = f"# Benchmark\n\n{machine.processor()}; " + ", ".join(versions + [f"Python {platform.python_version()}"]) + ".\n"
    for name, result in results.items():
        text += (f"\n## {SECTIONS[name].TITLE}\n\nMeasured on {result['date']} on {markdown.cores(result['cores'])} in "
                 f"{result['seconds'] / 60:.1f} minutes; medians of {result['rounds']} interleaved runs of "
                 f"{result['run_seconds']:g} s where nothing else is said.\n")
        if name == "steps":
            text += "\n" + peaks(result["machine"])
        text += SECTIONS[name].report(result["data"])
        for chart, svg in SECTIONS[name].charts(result["data"]).items():
            (output / f"{chart}.svg").write_text(svg)
    (output / "benchmark.md").write_text(text)
    print(text)


def peaks(speeds):
    return markdown.table(
        [">cores", ">FMA GFLOP/s", ">memory GB/s", ">dispatch µs"],
        [[count, f"{s['gigaflops']:.0f}", f"{s['bandwidth']:.1f}", f"{s['dispatch_seconds'] * 1e6:.1f}"]
         for count, s in speeds.items()])


if __name__ == "__main__":
    sys.exit(main())

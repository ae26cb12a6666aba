"""Times whole training steps of Treadle and of its peers side by side, and writes a table and a chart.

Every system trains the same network on the same data from the same weights, and its first 20 losses are compared
before anything is timed. The systems take turns, round after round, in an order that rotates; figures are medians over
the rounds, and ratios are medians of the ratios within a round, so that a machine whose speed drifts does not matter.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

from chart import bars
from workloads import WORKLOADS, named, write_data

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = ["jax-scan", "jax-step", "torch", "torch-compile", "keras", "scikit-learn"]


class System:
    """A process that trains when it is told to."""

    def __init__(self, name, workload, data, cores):
        self.name = name
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "TREADLE_"))}
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment[variable] = str(len(cores))
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        if name == "treadle":
            order = "shuffled" if workload.shuffled else "ordered"
            command = [str(ROOT / ".build/release/TreadleBenchmarks"), "peer", data, str(len(cores)),
                       ",".join(map(str, workload.sizes)), str(workload.batch), workload.optimizer,
                       str(workload.rate), workload.loss, workload.activation, order]
        else:
            command = [sys.executable, str(HERE / "peer.py"), name, workload.name, data]
        pinned = ["taskset", "-c", ",".join(map(str, cores))] + command
        self.process = subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=environment, text=True)
        self.ready = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def run(self, seconds):
        self.process.stdin.write(f"run {seconds}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(workload, cores, rounds, seconds, peers, directory):
    data = str(pathlib.Path(directory) / f"{workload.name}.h5")
    if not os.path.exists(data):
        write_data(workload, data)
    systems, left_out = [], {}
    for name in ["treadle"] + peers:
        try:
            systems.append(System(name, workload, data, cores))
        except (RuntimeError, OSError, ValueError) as error:
            if name == "treadle":
                raise SystemExit(f"Treadle did not start ({error}); build it with: swift build -c release")
            left_out[name] = str(error)
    reference = systems[0].ready["losses"]
    for system in systems[1:]:
        worst = max(abs(a - b) / max(abs(b), 1e-3) for a, b in zip(reference, system.ready["losses"]))
        if worst > 2e-3:
            left_out[system.name] = f"other losses, by {worst:.1%}"
    systems = [s for s in systems if s.name not in left_out]
    speeds, peaks = {s.name: [] for s in systems}, {}
    for number in range(rounds):
        for place in range(len(systems)):
            system = systems[(place + number) % len(systems)]
            result = system.run(seconds)
            speeds[system.name].append(result["samples"] / result["seconds"])
            peaks[system.name] = result["peak_bytes"]
    for system in systems:
        system.close()
    ratios = [own / max(speeds[n][i] for n in speeds if n != "treadle")
              for i, own in enumerate(speeds["treadle"])] if len(systems) > 1 else []
    return {
        "workload": workload.name, "cores": len(cores),
        "speeds": {n: statistics.median(v) for n, v in speeds.items()},
        "spread": {n: [min(v), max(v)] for n, v in speeds.items()},
        "ratio": statistics.median(ratios) if ratios else None,
        "first_seconds": {s.name: s.ready["first_seconds"] for s in systems},
        "versions": {s.name: s.ready["version"] for s in systems},
        "peak_bytes": peaks, "left_out": left_out,
    }


def peak_of_machine(threads):
    """FMA peak in GFLOP/s and bandwidth in GB/s, by `treadle bench`."""
    command = [str(ROOT / ".build/release/treadle"), "bench", "--machine", "--json", "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def table(results, peaks):
    lines = []
    for cores in sorted({r["cores"] for r in results}):
        peak = peaks.get(cores, {}).get("gigaflops")
        lines += [f"\n### {cores} core{'s' if cores > 1 else ''}\n"]
        names = ["treadle"] + PEERS
        lines += ["| workload | " + " | ".join(names) + " | against the best peer | of FMA peak |",
                  "|---|" + "---:|" * (len(names) + 2)]
        for result in [r for r in results if r["cores"] == cores]:
            workload = named(result["workload"])
            cells = [f"{result['speeds'][n]:,.0f}" if n in result["speeds"] else "—" for n in names]
            share = result["speeds"]["treadle"] * workload.flops_per_row / (peak * 1e9) if peak else None
            cells.append(f"**{result['ratio']:.2f}×**" if result["ratio"] else "—")
            cells.append(f"{share:.0%}" if share else "—")
            lines.append(f"| {workload.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def details(results):
    lines = ["\n### Memory and first batches\n", "| workload | cores | system | peak memory | first 20 steps after |",
             "|---|---:|---|---:|---:|"]
    for result in results:
        for name in result["speeds"]:
            lines.append(f"| {result['workload']} | {result['cores']} | {name} | "
                         f"{result['peak_bytes'][name] / 1e6:,.0f} MB | {result['first_seconds'][name]:.2f} s |")
    left = [(r["workload"], n, why) for r in results for n, why in r["left_out"].items()]
    if left:
        lines.append("\nLeft out: " + "; ".join(f"{n} on {w} ({why})" for w, n, why in left) + ".")
    return "\n".join(lines) + "\n"


def cpu_name():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, one core, the strongest peers")
    parser.add_argument("--workload", action="append", help="one of " + ", ".join(w.name for w in WORKLOADS))
    parser.add_argument("--peer", action="append", help="one of " + ", ".join(PEERS))
    parser.add_argument("--cores", action="append", type=int, help="how many cores; 1 and all unless given")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of one run")
    parser.add_argument("--output", default=".build/benchmark", help="the directory of the results")
    arguments = parser.parse_args()
    available = sorted(os.sched_getaffinity(0))
    counts = arguments.cores or ([1] if arguments.quick else sorted({1, len(available)}))
    rounds = arguments.rounds or (3 if arguments.quick else 7)
    seconds = arguments.seconds or (0.5 if arguments.quick else 1.5)
    peers = arguments.peer or (["jax-scan", "torch"] if arguments.quick else PEERS)
    workloads = [named(n) for n in arguments.workload] if arguments.workload else WORKLOADS

    results, peaks = [], {}
    with tempfile.TemporaryDirectory(prefix="treadle-benchmark-") as directory:
        for count in counts:
            peaks[count] = peak_of_machine(count)
            for workload in workloads:
                print(f"{workload.name} on {count} core(s) …", file=sys.stderr, flush=True)
                results.append(compare(workload, available[:count], rounds, seconds, peers, directory))
                ratio = results[-1]["ratio"]
                shown = {n: round(v) for n, v in results[-1]["speeds"].items()}
                print(f"  {shown}  {ratio and round(ratio, 2)}", file=sys.stderr, flush=True)

    versions = {n: v for r in results for n, v in r["versions"].items()}
    head = (f"Measured on {datetime.date.today()}: {cpu_name()}, {len(available)} cores; "
            + ", ".join(sorted(set(versions.values()))) + f", Python {platform.python_version()}.\n"
            "Samples a second of whole training steps; medians of "
            f"{rounds} interleaved runs of {seconds} s each.\n")
    output = pathlib.Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    text = head + table(results, peaks) + details(results)
    (output / "benchmark.md").write_text(text)
    (output / "benchmark.json").write_text(json.dumps(results, indent=1))
    (output / "benchmark.svg").write_text(bars(results))
    print(text)
    thresholds = json.loads((HERE / "thresholds.json").read_text())
    failed = [f"{r['workload']} on {r['cores']} core(s): {r['ratio']:.2f}× the best peer, less than {limit}×"
              for r in results if r["ratio"]
              for limit in [thresholds.get(r["workload"], {}).get(str(r["cores"]))] if limit and r["ratio"] < limit]
    for line in failed:
        print(f"slower than it was: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

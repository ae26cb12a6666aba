"""Instructions of a step, which a busy machine does not change: what time cannot show reliably.

valgrind counts them, for AVX2, since it knows no AVX-512. Two runs of different length are subtracted, so that making up
data and weights is not counted.
"""

import os
import re
import shutil
import subprocess

import markdown
from systems import RELEASE, environment

TITLE = "Instructions"
WORKLOADS = ["mlp512", "mlp512-adam", "mlp256", "tanh300", "tiny"]
FEW, MANY = 1, 2


def measure(plan, say):
    if not shutil.which("valgrind"):
        return {"missing": "valgrind is not installed"}
    if " avx2 " not in open("/proc/cpuinfo").read():
        return {"missing": "this CPU has no AVX2, for which the counts are"}
    # A copy without debugging sections: valgrind gives up on those that Swift writes.
    program = f"{plan.directory}/TreadleBenchmarks"
    subprocess.run(["strip", "--strip-debug", "-o", program, str(RELEASE / "TreadleBenchmarks")], check=True)
    counts = {}
    for workload in WORKLOADS:
        counts[workload] = (count(program, workload, MANY) - count(program, workload, FEW)) / (MANY - FEW)
        say(f"{workload}: {counts[workload]:,.0f} instructions a step")
    return {"counts": counts}


def count(program, workload, steps):
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", program, "--steps", str(steps),
               "--workload", workload]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(1) | {"TREADLE_ISA": "avx2"})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"valgrind failed on {workload}: {done.stderr.strip()[-300:]}")
    return int(found[1])


def report(data):
    if "missing" in data:
        return f"\nNot counted: {data['missing']}.\n"
    return "\n" + markdown.table(["workload", ">instructions a step, AVX2, one core"],
                                 [[name, f"{value:,.0f}"] for name, value in data["counts"].items()])


def charts(data):
    return {}

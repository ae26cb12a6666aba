"""Whole training steps of every workload and system, from data in memory."""

import chart
import markdown
from cases import made_up
from compare import compare, left_out_line
from workloads import WORKLOADS

TITLE = "Training steps"
PEERS = ["jax-scan", "jax-step", "torch", "torch-compile", "keras", "scikit-learn"]
STRONGEST = ["jax-scan", "torch"]


def measure(plan, say):
    peers = plan.chosen(PEERS if plan.peers or not plan.quick else STRONGEST)
    results = []
    for workload in plan.workloads or WORKLOADS:
        with made_up(workload, plan.directory) as case:
            for count in plan.counts:
                result = compare(case, ["treadle"] + peers, plan.using(count), plan.rounds, plan.seconds)
                speed, bound = plan.speed(count), result["speeds"]["treadle"]
                result["of_peak"] = bound * workload.flops_per_row / (speed["gigaflops"] * 1e9)
                result["of_bandwidth"] = bound * workload.bytes_per_row / (speed["bandwidth"] * 1e9)
                results.append(result)
                say(f"{workload.name}, {markdown.cores(count)}: {bound:,.0f}/s, {markdown.times(result['ratio'])}")
    return results


def report(results):
    text = ""
    for count in sorted({r["cores"] for r in results}):
        chosen = [r for r in results if r["cores"] == count]
        names = [n for n in ["treadle"] + PEERS if any(n in r["speeds"] for r in chosen)]
        text += f"\n### {markdown.cores(count)}: samples a second\n\n"
        text += markdown.table(
            ["workload"] + [">" + n for n in names] + [">against the best peer", ">of the machine"],
            [[r["workload"]] + [markdown.number(r["speeds"].get(n)) for n in names]
             + [markdown.times(r["ratio"]), bound(r)] for r in chosen])
    text += "\n### Memory and first steps\n\n"
    text += "Peak memory of the process, and seconds from its start to its first step: loading and compiling included.\n\n"
    text += markdown.table(
        ["workload", ">cores", "system", ">slowest to fastest run", ">peak memory", ">first step after"],
        [[r["workload"], r["cores"], n, f"{r['spread'][n][0]:,.0f}–{r['spread'][n][1]:,.0f}",
          markdown.megabytes(r["peak_bytes"][n]), markdown.duration(r["first_seconds"][n])]
         for r in results for n in r["speeds"]])
    return text + left_out_line(results)


def bound(result):
    """The share of whichever of the machine's limits is nearer."""
    if result["of_peak"] >= result["of_bandwidth"]:
        return markdown.percent(result["of_peak"]) + " of FMA"
    return markdown.percent(result["of_bandwidth"]) + " of memory"


def charts(results):
    return {"steps": chart.bars(results)}

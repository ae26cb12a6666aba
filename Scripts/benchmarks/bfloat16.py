"""Whole training steps in bfloat16, beside the peers' forms of it and beside Float32."""

import markdown
from cases import made_up
from compare import compare, left_out_line
from workloads import BFLOAT16

TITLE = "Training steps in bfloat16"
PEERS = ["torch-autocast", "torch-autocast-compile", "torch-bf16", "torch-bf16-compile", "jax-bf16"]
OWN = "treadle-float32"
# Losses of the first steps: weights that are rounded themselves are further off than products of rounded numbers.
TOLERANCE = 0.05


def measure(plan, say):
    names = ["treadle"] + plan.chosen(PEERS)
    wanted = [w.name for w in plan.workloads] if plan.workloads else None
    results = []
    for workload in BFLOAT16:
        if wanted and workload.name not in wanted:
            continue
        with made_up(workload, plan.directory) as case:
            for count in plan.counts:
                result = compare(case, names + [OWN], plan.using(count), plan.rounds, plan.seconds, tolerance=TOLERANCE,
                                 aside=[OWN])
                results.append(result)
                speeds = result["speeds"]
                say(f"{workload.name}, {markdown.cores(count)}: {speeds['treadle']:,.0f}/s, "
                    f"{markdown.times(result['ratio'])} of the best peer, "
                    f"{markdown.times(speeds['treadle'] / speeds[OWN])} of Float32")
    return results


def report(results):
    text = ""
    for count in sorted({r["cores"] for r in results}):
        chosen = [r for r in results if r["cores"] == count]
        names = [n for n in ["treadle", OWN] + PEERS if any(n in r["speeds"] for r in chosen)]
        text += f"\n### {markdown.cores(count)}: samples a second\n\n"
        text += markdown.table(
            ["workload"] + [">" + n for n in names] + [">against the best peer", ">against Float32"],
            [[r["workload"]] + [markdown.number(r["speeds"].get(n)) for n in names]
             + [markdown.times(r["ratio"]), markdown.times(r["speeds"]["treadle"] / r["speeds"][OWN])] for r in chosen])
    return text + left_out_line(results)


def charts(results):
    return {}

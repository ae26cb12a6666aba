"""Compressed files decoded into memory, on one core and on several."""

import os
import statistics

import markdown
from cases import Case, codecs, compressed, pictures, repeated, write_weights
from compare import running
from workloads import Workload

TITLE = "Decoding"
COPIES = 8
SHAPE = Workload("decoding", (784, 16, 10), 128, "sgd", 0.01, "cross_entropy")


def measure(plan, say):
    small = pictures("train", plan.directory)
    weights = write_weights(SHAPE, plan.directory)
    results = []
    for codec in codecs():
        packed = repeated(compressed(small, codec), COPIES, codec)
        case = Case(SHAPE, packed, weights, settings={"access": "memory"})
        seconds = {count: [] for count in plan.counts}
        for _ in range(max(3, plan.rounds)):
            for count in plan.counts:
                # From the start of the process to its first step: opening and decoding all of it, and little else.
                with running(case, ["treadle"], plan.using(count)) as (systems, _):
                    seconds[count].append(systems["treadle"].first_seconds)
        results.append({"codec": codec, "bytes": os.path.getsize(packed),
                        "seconds": {count: statistics.median(times) for count, times in seconds.items()}})
        os.remove(packed)
        say(f"{codec}: " + ", ".join(f"{markdown.cores(count)} {time:.2f} s"
                                     for count, time in results[-1]["seconds"].items()))
    return {"results": results, "decoded": COPIES * 60_000 * 784 * 4}


def report(data):
    counts = list(data["results"][0]["seconds"])
    text = (f"\n{markdown.megabytes(data['decoded'])} of Float32 in chunks of 500 rows, shuffled where the codec does not do "
            "that itself, from the start of the program to the first step; medians.\n\n")
    return text + markdown.table(
        ["codec", ">of the size"] + [f">seconds, {markdown.cores(int(count))}" for count in counts]
        + [f">{markdown.cores(int(count))} against one" for count in counts[1:]],
        [[r["codec"], markdown.percent(r["bytes"] / data["decoded"])] + [f"{r['seconds'][count]:.2f}" for count in counts]
         + [markdown.times(r["seconds"][counts[0]] / r["seconds"][count]) for count in counts[1:]]
         for r in data["results"]])


def charts(_data):
    return {}

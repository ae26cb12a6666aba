"""Training and reading from files: contiguous and compressed, whole in memory and streamed, against h5py."""

from dataclasses import replace

import chart
import markdown
from cases import Case, compressed, pictures, repeated, write_weights
from compare import compare, left_out_line, running
from workloads import Workload

TITLE = "Loading"
IN_MEMORY = ["torch", "jax-scan"]
FROM_FILE = ["torch-loader-0", "torch-loader-2", "torch-batches-0", "torch-batches-2"]
BATCHES = [32, 128]
COPIES = 4
STREAMED = {"memory_limit": "96MB"}  # half of Fashion-MNIST as Float32


def workload(batch, *hidden):
    return Workload(f"784-{'-'.join(map(str, hidden))}-10-b{batch}", (784, *hidden, 10), batch, "sgd", 0.01,
                    "cross_entropy", shuffled=True)


def forms(directory):
    """What is read, how Treadle is told to read it, and the shape of the file."""
    contiguous = pictures("train", directory)
    gzip = compressed(contiguous)
    return [
        ("memory", contiguous, {"access": "memory"}),
        ("contiguous", contiguous, {}),
        ("contiguous, streamed", contiguous, STREAMED),
        ("gzip", gzip, {}),
        ("gzip, streamed in blocks", gzip, STREAMED | {"shuffle": "block", "shuffle_block": 500, "shuffle_window": 16}),
    ]


def measure(plan, say):
    rounds = max(2, plan.rounds // 2)
    peers = ["torch-loader-0"] if plan.quick else IN_MEMORY + FROM_FILE
    data = {"training": [], "reading": [], "waiting": []}
    for batch in [128] if plan.quick else BATCHES:
        shape = workload(batch, 256)
        weights = write_weights(shape, plan.directory)
        for name, path, settings in forms(plan.directory):
            if plan.quick and not against_peers(name):
                continue
            # What peers hold in memory they have read from the contiguous file; how they do it changes nothing else.
            others = IN_MEMORY if name == "memory" else FROM_FILE
            others = [p for p in peers if p in others] if against_peers(name) else []
            case = Case(shape, path, weights, settings=settings)
            if not plan.quick:
                result = compare(case, ["treadle"] + others, plan.all, rounds, plan.seconds)
                data["training"].append({"form": name} | result)
                say(f"{shape.name}, {name}: {rounded(result['speeds'])}")
            if batch == 128 and "memory" not in name:
                result = compare(case, ["treadle"] + others, plan.using(1), rounds, plan.seconds, "read")
                data["reading"].append({"form": name} | result)
                say(f"reading, {name}: {rounded(result['speeds'])}")
    if plan.quick:
        return data
    shape = workload(128, 512, 512)
    weights = write_weights(shape, plan.directory)
    for name, path, settings in forms(plan.directory):
        case = Case(shape, path, weights, settings=settings)
        data["waiting"].append({"form": name} | compare(case, ["treadle"], plan.all, 2, plan.seconds))
    data["alone"] = alone(plan, say)
    return data


def against_peers(form):
    """Peers do not stream under a limit: what they do with the whole file is the comparison."""
    return "streamed" not in form


def rounded(speeds):
    return ", ".join(f"{name} {speed:,.0f}/s" for name, speed in speeds.items())


def alone(plan, say):
    """The loader by itself: bytes a second in order and shuffled."""
    small = pictures("train", plan.directory)
    large = repeated(small, COPIES)
    shape = workload(128, 16)
    weights = write_weights(shape, plan.directory)
    bandwidth = plan.speed(1)["bandwidth"] * 1e9
    results = []
    for order in (False, True):
        case = Case(replace(shape, shuffled=order), large, weights, settings={"access": "mmap"})
        with running(case, ["treadle"], plan.using(1)) as (systems, _):
            answers = [systems["treadle"].tell("read", plan.seconds) for _ in range(plan.rounds)]
        best = max(a["bytes"] / a["seconds"] for a in answers)
        results.append({"what": f"contiguous, {'shuffled' if order else 'in order'}", "bytes_per_second": best,
                        "of_bandwidth": best / bandwidth})
        say(f"{results[-1]['what']}: {best / 1e9:.1f} GB/s")
    return {"bandwidth": bandwidth, "reading": results}


def report(data):
    text = ""
    if data["training"]:
        text += "\n### Training 784-256-10 from files, shuffled: samples a second\n\n"
        names = ["treadle"] + IN_MEMORY + FROM_FILE
        text += markdown.table(
            ["form", "workload"] + [">" + n for n in names] + [">against the best peer", ">time in the loader",
                                                                ">first step after"],
            [[r["form"], r["workload"]] + [markdown.number(r["speeds"].get(n)) for n in names]
             + [markdown.times(r["ratio"]), markdown.percent(r["in_loader"]),
                markdown.duration(r["first_seconds"]["treadle"])] for r in data["training"]])
        text += ("\n`torch-loader` is PyTorch's DataLoader over h5py, row by row, as tutorials have it; `torch-batches` reads "
                 "a whole batch at once, in the file's order, with a chunk cache that holds all of the data; 0 and 2 are "
                 "their worker processes. `torch` and `jax-scan` have read the whole file into memory at the start.\n")
    text += "\n### Reading alone, shuffled, batch 128, one core: samples a second\n\n"
    names = ["treadle"] + FROM_FILE
    text += markdown.table(
        ["form"] + [">" + n for n in names] + [">against torch-loader-0", ">against the best"],
        [[r["form"]] + [markdown.number(r["speeds"].get(n)) for n in names]
         + [markdown.times(against_usual(r)), markdown.times(r["ratio"])] for r in data["reading"]])
    if data["waiting"]:
        text += "\n### Time that training 784-512-512-10 at batch 128 spends in the loader\n\n"
        text += markdown.table(
            ["form", ">samples/s", ">share in the loader"],
            [[r["form"], markdown.number(r["speeds"]["treadle"]), markdown.percent(r["in_loader"])] for r in data["waiting"]])
    if "alone" in data:
        one = data["alone"]
        text += "\n### The loader alone, one core\n\n"
        text += markdown.table(
            ["what", ">GB/s", f">of the {one['bandwidth'] / 1e9:.0f} GB/s that one core reads"],
            [[r["what"], f"{r['bytes_per_second'] / 1e9:.1f}", markdown.percent(r["of_bandwidth"])] for r in one["reading"]])
    return text + left_out_line(data["training"] + data["reading"] + data["waiting"])


def against_usual(result):
    usual = result["speeds"].get("torch-loader-0")
    return result["speeds"]["treadle"] / usual if usual else None


def charts(data):
    if not data["training"]:
        return {}
    return {"loading": chart.bars([r | {"workload": f"{r['workload']}, {r['form']}"} for r in data["training"]
                                   if len(r["speeds"]) > 1])}

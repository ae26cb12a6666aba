"""Writing and reading 101 MB of parameters, with and without making sure that they survive a power cut."""

import os
import shutil
import statistics
import tempfile

import markdown
from cases import made_up
from compare import left_out_line, running, take_turns
from workloads import Workload

TITLE = "Checkpoints"
WORKLOAD = Workload("checkpoint", (2048, 4096, 4096, 10), 64, "sgd", 0.01, "cross_entropy", rows=64 * 4)
SYSTEMS = ["treadle", "torch", "keras"]
SUFFIX = {"treadle": ".h5", "torch": ".pt", "keras": ".weights.h5"}


def measure(plan, say):
    with made_up(WORKLOAD, plan.directory) as case, running(case, SYSTEMS, plan.all) as (systems, left_out), \
            tempfile.TemporaryDirectory(prefix="treadle-", dir=memory_directory()) as memory:
        places = {"disk": plan.directory, "memory": memory if memory_directory() else None}
        results = {}
        for what, command, place in [("synced", "sync", "disk"), ("loaded", "load", "disk"),
                                     ("unsynced", "save", "disk"), ("without a disk", "save", "memory")]:
            if not places[place]:
                continue
            asked = dict(systems)
            if what == "unsynced":
                asked.pop("treadle", None)  # it has no such form

            def ask(system):
                # Treadle's own form of saving is the synced one.
                verb = "save" if system.name == "treadle" and command == "sync" else command
                return system.tell(verb, f"{places[place]}/checkpoint{SUFFIX[system.name]}")

            results[what] = take_turns(asked, left_out, max(3, plan.rounds), ask)
            for name in left_out:
                systems.pop(name, None)
            say(f"{what}: " + ", ".join(f"{n} {median(a):.3f} s" for n, a in results[what].items()))
    return {"results": results, "workload": WORKLOAD.name, "cores": len(plan.all), "left_out": left_out}


def memory_directory():
    """A file system without a disk that has room for a few checkpoints; containers often have a small one."""
    path = "/dev/shm"
    return path if os.access(path, os.W_OK) and shutil.disk_usage(path).free > 1 << 30 else None


def median(answers, key="seconds"):
    return statistics.median(a[key] for a in answers)


def report(data):
    results = data["results"]
    columns = [">written and synced", ">written, not synced", ">written to memory", ">read", ">file",
               ">training stands still"]
    rows = []
    for name in SYSTEMS:
        def cell(what):
            answers = results.get(what, {}).get(name)
            return markdown.duration(median(answers)) if answers else "—"

        synced = results.get("synced", {}).get(name)
        if not synced:
            continue
        still = median(synced, "standstill") if "standstill" in synced[0] else None
        rows.append([name, cell("synced"), cell("unsynced"), cell("without a disk"), cell("loaded"),
                     markdown.megabytes(synced[0]["bytes"]),
                     markdown.duration(still) if still is not None else "all of it"])
    return ("\n" + markdown.table(["system"] + columns, rows)
            + "\nMedians. `torch.save` and Keras's `save_weights` do not sync, so both are given with and without; Treadle "
            "always syncs file and directory, digests the file by SHA-256, and checks the digest as it reads. Written to "
            "memory: to a file system without a disk, where syncing costs nothing. Treadle's runs write in the background: "
            "training stands still only while its state is copied.\n" + left_out_line([data]))


def charts(data):
    return {}

"""Runs of the program itself, as a user starts them, and what their logs say."""

import json
import pathlib
import subprocess

from systems import RELEASE, environment


def call(cores, place, *arguments):
    """What a command prints that works in the directory `place`, on these cores alone."""
    finished = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores)), str(RELEASE / "treadle"), *arguments], cwd=place,
        env=environment(len(cores)), capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"treadle {arguments[0]}: {finished.stderr[-500:]}")
    return finished.stdout


def train(job, cores, place):
    """Trains as `job` says, with a thread for each core, and gives the log's line of each epoch.

    The run is kept in `place`/run; nothing but its end is saved, so that no checkpoint is part of what is measured.
    """
    saves = {"dir": "run", "every": {"time": None, "epochs": None, "steps": None}, "keep_best": 0}
    path = pathlib.Path(place, "job.json5")
    path.write_text(json.dumps({"name": "run", "compute": {"threads": len(cores)}, "checkpoint": saves} | job))
    call(cores, place, "train", path.name, "--quiet", "--fresh")
    # An epoch's own line is its last: the others are about intervals within it.
    lines = map(json.loads, pathlib.Path(place, "run/metrics.jsonl").read_text().splitlines())
    return list({line["epoch"]: line for line in lines}.values())

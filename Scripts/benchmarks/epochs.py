"""Whether training keeps its speed: ten epochs of Fashion-MNIST, whose dark pixels let an optimizer's moments fade away."""

import json
import pathlib
import subprocess

import markdown
from cases import has_pictures, pictures
from systems import RELEASE, environment

TITLE = "Speed from epoch to epoch"
EPOCHS, LEAST = 10, 0.97
OPTIMIZERS = {"adam": {"type": "adam", "lr": 1e-3}, "momentum": {"type": "sgd", "momentum": 0.9, "lr": 0.01},
              "rmsprop": {"type": "rmsprop", "lr": 1e-3}}


def measure(plan, say):
    if not has_pictures():
        return {"missing": "Debian's package dataset-fashion-mnist is not installed"}
    results = []
    for count in plan.counts:
        for name, optimizer in OPTIMIZERS.items():
            speeds = train(plan, pictures("train", plan.directory), name, optimizer, plan.using(count))
            results.append({"optimizer": name, "cores": count, "speeds": speeds, "kept": speeds[-1] / speeds[0]})
            say(f"{name}, {markdown.cores(count)}: {speeds[0]:,.0f}/s in the first epoch, {speeds[-1]:,.0f} in the last")
    return {"results": results}


def train(plan, data, name, optimizer, cores):
    """The samples a second of each epoch, as the run's own log has them."""
    directory = pathlib.Path(plan.directory) / f"epochs-{name}-{len(cores)}"
    job = directory.with_suffix(".json5")
    job.write_text(json.dumps({
        "name": "epochs", "task": "classification",
        "data": {"train": {"files": [data]}, "valid": None, "batch_size": 128, "normalize": "none"},
        "model": {"hidden": [{"units": 512}, {"units": 512}]}, "optimizer": optimizer,
        "stop": {"epochs": EPOCHS, "early": None}, "compute": {"threads": len(cores)},
        "checkpoint": {"dir": str(directory), "every": {"time": None, "epochs": None, "steps": None}, "keep_best": 0}}))
    places = ",".join(str(core) for core in cores)
    finished = subprocess.run(
        ["taskset", "-c", places, str(RELEASE / "treadle"), "train", str(job), "--fresh"],
        env=environment(len(cores)), capture_output=True, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"{name}: {finished.stderr[-500:]}")
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    # An epoch's own line is its last: the others are about intervals within it.
    by_epoch = {line["step"]: line for line in lines}
    steps = max(by_epoch) // EPOCHS
    return [by_epoch[steps * (epoch + 1)]["samples_per_second"] for epoch in range(EPOCHS)]


def failures(data):
    """A line for each run that ends slower than it began."""
    return [f"{r['optimizer']} on {markdown.cores(r['cores'])}: the last epoch has {r['kept']:.2f} of the first one's speed, "
            f"and {LEAST} is the least allowed" for r in data.get("results", []) if r["kept"] < LEAST]


def report(data):
    if "missing" in data:
        return f"\nNot measured: {data['missing']}.\n"
    text = (f"\nFashion-MNIST, 784-512-512-10, batch 128, {EPOCHS} epochs, one run each; samples a second of each epoch. The "
            f"last one should keep {LEAST} of the first one's speed.\n\n")
    heads = ["optimizer", ">cores"] + [f">{epoch + 1}" for epoch in range(EPOCHS)] + [">last over first"]
    return text + markdown.table(
        heads, [[r["optimizer"], r["cores"]] + [markdown.number(speed) for speed in r["speeds"]]
                + [f"{r['kept']:.2f}"] for r in data["results"]])


def charts(_data):
    return {}

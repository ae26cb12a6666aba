"""Whether training keeps its speed: ten epochs of Fashion-MNIST, whose dark pixels let an optimizer's moments fade away."""

import tempfile

import markdown
from cases import has_pictures, pictures
from runs import train

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
            with tempfile.TemporaryDirectory(dir=plan.directory) as place:
                speeds = speeds_of(optimizer, pictures("train", plan.directory), plan.using(count), place)
            results.append({"optimizer": name, "cores": count, "speeds": speeds, "kept": speeds[-1] / speeds[0]})
            say(f"{name}, {markdown.cores(count)}: {speeds[0]:,.0f}/s in the first epoch, {speeds[-1]:,.0f} in the last")
    return {"results": results}


def speeds_of(optimizer, data, cores, place):
    """The samples a second of each epoch, as the run's own log has them."""
    lines = train({
        "task": "classification",
        "data": {"train": {"files": [data]}, "valid": None, "batch_size": 128, "normalize": "none"},
        "model": {"hidden": [{"units": 512}, {"units": 512}]}, "optimizer": optimizer,
        "stop": {"epochs": EPOCHS, "early": None}}, cores, place)
    return [line["samples_per_second"] for line in lines]


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

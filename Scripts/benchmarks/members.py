"""What more cores bring to a network of several members, each of which one core trains."""

import statistics
import tempfile

import markdown
from runs import call, train

TITLE = "Members over cores"
# As `init` writes them for a table of some ten thousand rows, with fewer epochs.
ROWS, EPOCHS = 40_000, 2
CASES = {"4 members": (4, None), "4 members on 4 folds": (4, {"folds": 4}), "5 members on 5 folds": (5, {"folds": 5})}


def measure(plan, say):
    with tempfile.TemporaryDirectory(dir=plan.directory) as place:
        call(plan.all, place, "generate", "regression", "-o", "table.h5", "--rows", str(ROWS))
        results = []
        for name, (members, valid) in CASES.items():
            speeds = {count: [] for count in plan.counts}
            for _ in range(plan.rounds):
                for count in plan.counts:
                    lines = train(job(members, valid), plan.using(count), place)
                    speeds[count].append(statistics.median(line["samples_per_second"] for line in lines))
            results.append({"members": name, "speeds": {count: statistics.median(runs) for count, runs in speeds.items()}})
            say(f"{name}: " + ", ".join(f"{markdown.cores(count)} {speed:,.0f}/s"
                                        for count, speed in results[-1]["speeds"].items()))
        return {"results": results}


def job(members, valid):
    return {"task": "regression",
            "data": {"train": {"files": ["table.h5"]}, "valid": valid, "batch_size": 320},
            "model": {"hidden": [{"units": 256}] * 3, "members": members, "parameterization": "ntk", "scale_inputs": True},
            "optimizer": {"type": "adam", "lr": 0.02, "beta2": 0.95}, "stop": {"epochs": EPOCHS, "early": None}}


def report(data):
    counts = list(data["results"][0]["speeds"])
    rows = []
    for result in data["results"]:
        speeds = [result["speeds"][count] for count in counts]
        rows.append([result["members"]] + [markdown.number(speed) for speed in speeds]
                    + [markdown.times(speeds[-1] / speeds[0])])
    return (f"\n{ROWS:,} rows of ten numbers, three layers of 256 units, batch 320, Adam: rows a second, each of which "
            "every member learns from, but for those of its fold.\n\n"
            + markdown.table(["network"] + [">" + markdown.cores(int(count)) for count in counts] + [">most over fewest"], rows))


def charts(_data):
    return {}

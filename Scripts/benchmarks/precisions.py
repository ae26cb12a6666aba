"""What bfloat16 costs in accuracy: the same networks in each precision, by the program itself, from three seeds each."""

import importlib.util
import json
import pathlib
import statistics
import tempfile

import markdown
from runs import call, train

PRECISIONS = ["float32", "bfloat16", "bfloat16x3"]
SEEDS = [1, 2, 3]
TARGET = 0.88
HIDDEN = [{"units": 256}, {"units": 128}]
TABLES = {"digits": "accuracy", "diamonds": "rmse"}


def measure(plan, say, train, test):
    """`train` and `test` are the files of pictures."""
    results = [run(plan, say, "Fashion-MNIST", "accuracy", "classification", train, test, 10)]
    if importlib.util.find_spec("pandas") is None:
        return {"results": results, "missing": "pandas"}
    import tables_data
    missing = []
    for table in (table for table in tables_data.TABLES if table.name in TABLES):
        try:
            frame = table.load()
        except (ImportError, AttributeError, OSError):
            missing.append(table.name)  # its package is not installed
            continue
        rows = table.split(frame, 0)
        paths = [f"{plan.directory}/{table.name}-{part}.csv" for part in ("train", "test")]
        for path, chosen in zip(paths, rows):
            frame.iloc[chosen].to_csv(path, index=False)
        results.append(run(plan, say, table.name, TABLES[table.name], table.task, *paths, 20, table.target))
        for path in paths:
            pathlib.Path(path).unlink()
    return {"results": results, "missing": ", ".join(missing)}


def run(plan, say, name, metric, task, train, test, epochs, target=None):
    """Every precision from every seed; what they reach on the test's rows, and when pictures reach the target."""
    result = {"name": name, "metric": metric, "epochs": epochs, "reached": {}, "seconds": {}, "target_seconds": {}}
    for seed in SEEDS:
        for precision in PRECISIONS:
            with tempfile.TemporaryDirectory(dir=plan.directory) as place:
                if target:
                    for path in (train, test):
                        told = ["--like", "train.h5"] if path == test else ["--target", target]
                        call(plan.all, place, "import", path, *told, "-o", f"{'test' if path == test else 'train'}.h5")
                files = ("train.h5", "test.h5") if target else (train, test)
                lines = trained(plan, place, task, files, epochs, precision, seed)
                reached = json.loads(call(plan.all, place, "eval", "run/final.h5", "--data", files[1], "--json"))[metric]
            result["reached"].setdefault(precision, []).append(reached)
            result["seconds"].setdefault(precision, []).append(lines[-1]["seconds"])
            when = [line["seconds"] for line in lines if line.get("valid.accuracy", 0) >= TARGET]
            if not target:
                result["target_seconds"].setdefault(precision, []).append(when[0] if when else None)
            say(f"{name}, seed {seed}, {precision}: {metric} {reached:.4f} after {lines[-1]['seconds']:.1f} s")
    return result


def trained(plan, place, task, files, epochs, precision, seed):
    """The log's lines. The test's rows are those that are judged after each epoch; nothing is chosen by them."""
    job = {"task": task, "seed": seed, "data": {
               "train": {"files": [files[0]]}, "valid": {"files": [files[1]]}, "batch_size": 128},
           "model": {"hidden": HIDDEN, "precision": precision}, "optimizer": {"type": "adam", "lr": 1e-3},
           "schedule": {"type": "cosine"}, "stop": {"epochs": epochs, "early": None}}
    if task == "regression":
        job["data"]["normalize_target"] = "standard"
    return train(job, plan.all, place)


def report(data):
    text = ("\n### In each precision\n\nBy the program, from " + f"{len(SEEDS)} seeds each, 256 and 128 units; what is "
            "reached on the test's rows, and the difference from float32 of the same seed: mean, and from the least to the "
            "greatest.\n\n")
    rows = []
    for r in data["results"]:
        for precision in PRECISIONS:
            reached = r["reached"][precision]
            differences = [b - a for a, b in zip(r["reached"]["float32"], reached)]
            share = "+.2%" if r["metric"] == "accuracy" else "+.4g"
            when = r["target_seconds"].get(precision)
            rows.append([
                r["name"], precision, r["metric"],
                format(statistics.fmean(reached), ".2%" if r["metric"] == "accuracy" else ".4g"),
                "" if precision == "float32" else f"{statistics.fmean(differences):{share}} "
                f"({min(differences):{share}} … {max(differences):{share}})",
                markdown.duration(statistics.median(r["seconds"][precision])),
                "" if not when else markdown.duration(statistics.median(when)) if all(when) else "not by all"])
    text += markdown.table(["data", "precision", "metric", ">mean", ">difference", ">training", f">until {TARGET:.0%}"],
                           rows)
    return text + (f"\nNot measured, for want of packages: {data['missing']}.\n" if data["missing"] else "")

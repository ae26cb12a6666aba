"""What a step costs: work, traffic and overhead, fitted to the curves of scaling.py, and what more cores would give.

The seconds of a step on c cores are taken to be

    a · operations / (c · peak)  +  b · bytes of weights / bandwidth  +  r · bytes of rows / (c · bandwidth)
      + s  +  w · log₂ c

with one core's peak and bandwidth as `treadle bench` measures them, and five coefficients of at least 0 by least squares
of the relative error. 1/a is the share of the peak that the products reach, b and r are the shares of the traffic that
memory and not a cache has to serve, s is what every step costs, and w what waking and awaiting threads adds.
"""

import itertools
import math

import numpy as np

import chart
import markdown

TITLE = "A model of a step's cost"
COEFFICIENTS = ["work", "weights", "rows", "step", "waking"]
MEANING = ["seconds of multiply-adds at the peak", "traffic of weights, of the bandwidth",
           "traffic of rows, of the bandwidth", "seconds a step", "seconds for each doubling of the threads"]
BLOCK = 64               # rows that one reading of the weights serves
SHARED = 1.15            # a step that is not this much faster on all cores is taken for one that stays on one
PREDICTED = [16, 64, 128]


def features(sizes, batch, cores, machine):
    """What each coefficient multiplies, in seconds."""
    products = [f * d for f, d in zip(sizes, sizes[1:])]
    operations = 2 * batch * (3 * sum(products) - products[0])
    # A core takes at least a row: more cores than rows have nothing to do in the rows' phase.
    blocks = math.ceil(batch / min(cores, batch) / BLOCK)
    # Forward and back once for each block of rows; read, written and transposed once in the update.
    weights = 4 * sum(products) * (2 * blocks + 3 / cores)
    # Inputs are read in both phases; outputs and errors written and read.
    rows = 4 * batch * (2 * sizes[0] + 4 * sum(sizes[1:])) / cores
    return np.array([operations / (cores * machine["peak"]), weights / machine["bandwidth"], rows / machine["bandwidth"],
                     1.0, math.log2(cores)])


def fit(points, machine):
    """Least squares of the relative error over every choice of coefficients that comes out without a negative one."""
    a = np.array([features(p["sizes"], p["batch"], p["used"], machine) / p["seconds"] for p in points])
    best = (math.inf, np.zeros(a.shape[1]))
    for size in range(1, a.shape[1] + 1):
        for chosen in itertools.combinations(range(a.shape[1]), size):
            found = np.linalg.lstsq(a[:, chosen], np.ones(len(a)), rcond=None)[0]
            coefficients = np.zeros(a.shape[1])
            coefficients[list(chosen)] = found
            error = float(np.sum((a @ coefficients - 1) ** 2))
            if (found >= 0).all() and error < best[0]:
                best = (error, coefficients)
    return best[1]


def measured(scaling):
    """Seconds a step, and the cores that it seems to have used."""
    points, single = {}, {}
    for result in sorted(scaling["batch"] + scaling["width"] + scaling["threads"], key=lambda r: r["cores"]):
        sizes, batch = tuple(result["sizes"]), result["batch"]
        seconds = batch / result["speeds"]["treadle"]
        if result["cores"] == 1:
            single[sizes, batch] = seconds
        used = result["cores"] if single.get((sizes, batch), math.inf) > SHARED * seconds else 1
        points.setdefault((sizes, batch, result["cores"]), {
            "workload": result["workload"], "sizes": sizes, "batch": batch, "cores": result["cores"], "used": used,
            "seconds": seconds})
    return list(points.values())


def measure(plan, say, scaling):
    one = plan.speed(1)
    machine = {"peak": one["gigaflops"] * 1e9, "bandwidth": one["bandwidth"] * 1e9}
    points = measured(scaling)
    coefficients = fit(points, machine)
    for point in points:
        point["model"] = float(coefficients @ features(point["sizes"], point["batch"], point["used"], machine))
    predictions = []
    for sizes, batch in [((784, 512, 512, 10), 128), ((784, 512, 512, 10), 1024), ((784, 512, 512, 10), 4096),
                         ((784, 1024, 1024, 10), 1024), ((784, 4096, 4096, 10), 128)]:
        seconds = [float(coefficients @ features(sizes, batch, cores, machine)) for cores in [1] + PREDICTED]
        # A step is left on one core where sharing it would take longer.
        predictions.append({"sizes": sizes, "batch": batch, "seconds": [min(seconds[0], s) for s in seconds]})
    say("coefficients " + ", ".join(f"{name} {value:.3g}" for name, value in zip(COEFFICIENTS, coefficients)))
    return {"machine": machine, "coefficients": coefficients.tolist(), "points": points, "predictions": predictions}


def errors(points):
    return [p["model"] / p["seconds"] - 1 for p in points]


def report(data):
    all = errors(data["points"])
    machine = data["machine"]
    text = (f"\nOn this machine: {machine['peak'] / 1e9:.0f} GFLOP/s and {machine['bandwidth'] / 1e9:.1f} GB/s a core. "
            f"Fitted to {len(all)} points: median error "
            f"{np.median(np.abs(all)):.1%}, worst {max(all, key=abs):+.0%}.\n\n")
    units, scale = ["", "", "", " µs", " µs"], [1, 1, 1, 1e6, 1e6]
    text += markdown.table(["coefficient", "of", ">fitted"], [
        [name, meaning, f"{value * factor:.3g}{unit}"]
        for name, meaning, value, factor, unit in zip(COEFFICIENTS, MEANING, data["coefficients"], scale, units)])
    text += "\n![](model.svg)\n\n" + markdown.table(
        ["step", ">cores", ">measured µs", ">model µs", ">error"],
        [[p["workload"], f"{p['cores']}" + (" (used 1)" if p["used"] < p["cores"] else ""), f"{p['seconds'] * 1e6:,.0f}",
          f"{p['model'] * 1e6:,.0f}", f"{error:+.0%}"] for p, error in zip(data["points"], all)])
    text += ("\n**Predicted, not measured**: samples a second on more cores like these, each with its own share of the "
             "bandwidth, where waking threads takes longer with the logarithm of their number.\n\n")
    text += markdown.table(
        ["network", ">batch", ">1 core"] + [f">{cores} cores" for cores in PREDICTED],
        [["-".join(map(str, p["sizes"])), f"{p['batch']:,}", f"{p['batch'] / p['seconds'][0]:,.0f}"]
         + [f"{p['batch'] / s:,.0f} ({p['seconds'][0] / s:.1f}×)" for s in p["seconds"][1:]] for p in data["predictions"]])
    return text


def charts(data):
    series = {}
    for point in data["points"]:
        if point["workload"].startswith("batch"):
            name = markdown.cores(point["cores"])
            series.setdefault(f"measured, {name}", []).append((point["batch"], point["batch"] / point["seconds"]))
            series.setdefault(f"model, {name}", []).append((point["batch"], point["batch"] / point["model"]))
    dashed = [name for name in series if name.startswith("model")]
    title = "784-512-512-10, SGD: samples a second, measured and by the model"
    return {"model": chart.lines(title, "batch", series, dashed)}

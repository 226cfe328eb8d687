"""One night done twice: by ageingwell's own steps, and by the usual straw man of notebooks.

Both read the same four tables, check the rows, make the agreed features, take the risk of everybody from the same
trees, say exactly what each feature adds to it for everybody, put people in order, and write the first thousand of them
into a workbook with their five strongest features. Each runs in a process of its own; the results are compared.

The straw man: pandas, LightGBM's predict (what its scikit-learn class calls), `shap.TreeExplainer`, and `to_excel`.
Where the explainer would take longer than is bearable it explains some people, and the rest is reckoned from them.
"""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Final

from benchmarks.scale.job import FEATURES
from benchmarks.scale.stages import Stages

LISTED: Final = 1000
NAMED: Final = 5
# So that the last bit of a sum does not decide between people of one risk.
DIGITS: Final = 9
# People the explainer is timed on before it is let loose on everybody.
TRIED: Final = 200


def ageingwell(data: str, as_of: str, model: str, given: str, cache: str, out: str) -> dict[str, Any]:
    """Do the night with the library; the tables of the trees are in the folder `cache`, or are made and kept there."""
    import lightgbm as lgb
    import numpy as np
    import polars as pl
    from scipy.special import expit

    from ageingwell.lookup import LookupTables, compile_booster, digest_of, load_tables, save_tables
    from benchmarks.scale.job import as_agreed
    from benchmarks.scale.with_ageingwell import every_feature

    stages, booster = Stages(), lgb.Booster(model_file=model)
    with tempfile.TemporaryDirectory() as workspace:
        made, _ = every_feature(Path(data), as_of=date.fromisoformat(as_of), workspace=Path(workspace))
        people = as_agreed(made)
    stages.done("read, check, features")
    told = Path(cache) / "digest.txt"
    kept = load_tables(Path(cache), digest=told.read_text(encoding="ascii")) if told.is_file() else None
    tables = compile_booster(booster) if kept is None else kept
    if kept is None and isinstance(tables, LookupTables):
        save_tables(tables, Path(cache))
        told.write_text(digest_of(tables), encoding="ascii")
    stages.done("tables of the trees")
    names = booster.feature_name()
    everything = people.join(pl.read_parquet(given), on="person_id", how="left", maintain_order="left")
    explained = tables.explain(np.asfortranarray(everything.select(names).to_numpy()), threads=1)
    risk = expit(explained.log_odds)
    stages.done("risk and contributions")
    scores = pl.DataFrame({"person_id": people["person_id"], "risk": risk}).with_columns(pl.col("risk").round(DIGITS))
    scores.write_parquet(Path(out) / "scores.parquet")
    order = scores.with_row_index().sort("risk", "person_id", descending=[True, False]).head(LISTED)
    strongest = np.argsort(-explained.contributions[order["index"]], axis=1, kind="stable")[:, :NAMED]
    reasons = pl.Series([", ".join(names[column] for column in row) for row in strongest])
    listed = order.select("person_id", "risk", reasons=reasons)
    listed.write_excel(Path(out) / "list.xlsx")
    listed.write_parquet(Path(out) / "list.parquet")
    stages.done("order and workbook")
    return {"stages": stages.seconds, "explained": len(people), "people": len(people)}


def straw_man(data: str, as_of: str, model: str, given: str, most_seconds: float, out: str) -> dict[str, Any]:
    """Do the night as notebooks do; the explainer has `most_seconds`, or a fifth of them and the rest is reckoned."""
    import lightgbm as lgb
    import numpy as np
    import pandas as pd
    import shap

    from benchmarks.scale.with_pandas import every_feature

    stages, booster = Stages(), lgb.Booster(model_file=model)
    people, _ = every_feature(Path(data), as_of=date.fromisoformat(as_of))
    stages.done("read, check, features")
    names = booster.feature_name()
    everything = people[["person_id", *FEATURES]].merge(pd.read_parquet(given), on="person_id", how="left")[names]
    scores = pd.DataFrame({"person_id": people["person_id"], "risk": booster.predict(everything)}).round(DIGITS)
    scores.to_parquet(Path(out) / "scores.parquet")
    stages.done("risk")
    explainer = shap.TreeExplainer(booster)
    explainer.shap_values(everything.head(TRIED))
    stages.done("explainer tried")
    a_person = stages.seconds["explainer tried"] / TRIED
    n_explained = len(people)
    if a_person * len(people) > most_seconds:
        n_explained = min(len(people), max(TRIED, int(most_seconds / 5 / a_person)))
    explained = explainer.shap_values(everything.head(n_explained))
    stages.done("contributions")
    order = scores.sort_values(["risk", "person_id"], ascending=[False, True]).head(LISTED)
    # Where not everybody was explained the list still is.
    ours = explained[order.index] if n_explained == len(people) else explainer.shap_values(everything.loc[order.index])
    strongest = np.argsort(-ours, axis=1, kind="stable")[:, :NAMED]
    listed = order.assign(reasons=[", ".join(names[column] for column in row) for row in strongest])
    listed.to_excel(Path(out) / "list.xlsx", index=False)
    listed.to_parquet(Path(out) / "list.parquet")
    stages.done("order and workbook")
    return {"stages": stages.seconds, "explained": n_explained, "people": len(people)}


def prepare(data: str, as_of: str, folder: str) -> dict[str, Any]:
    """Make what both are given: the trees, and the features that the straw man is spared from making.

    The demonstration's trees ask for features that the agreed ones leave out; the large booster asks for these alone.
    """
    import lightgbm as lgb
    import numpy as np
    import polars as pl

    from ageingwell.bundle import find_bundle
    from benchmarks.scale.with_ageingwell import every_feature

    place = Path(folder)
    with tempfile.TemporaryDirectory() as workspace:
        features, _ = every_feature(Path(data), as_of=date.fromisoformat(as_of), workspace=Path(workspace))
    features.drop(FEATURES).with_columns(pl.exclude("person_id").cast(pl.Float64)).write_parquet(
        place / "given.parquet"
    )
    (place / "demo.txt").write_text((find_bundle("demo") / "model.txt").read_text(encoding="utf-8"), encoding="utf-8")
    some = features.select(FEATURES).sample(min(features.height, 50_000), seed=1).to_numpy()
    booster = large_booster(np.asarray(some, dtype=float))
    booster.save_model(place / "large.txt")
    demo = lgb.Booster(model_file=place / "demo.txt")
    return {"people": features.height, "demo_trees": demo.num_trees(), "large_trees": booster.num_trees()}


def large_booster(x: Any) -> Any:
    """500 trees of 31 leaves and depth 8 on the agreed features, with an outcome drawn from them, gaps included."""
    import lightgbm as lgb
    import numpy as np

    draw = np.random.default_rng(1)
    known = np.nan_to_num(x, nan=400.0)
    scaled = (known - known.mean(0)) / np.maximum(known.std(0), 1e-9)
    odds = scaled @ draw.normal(size=x.shape[1]) * 0.2 + 0.3 * scaled[:, 0] * scaled[:, -2] - 2
    happened = draw.random(len(x)) < 1 / (1 + np.exp(-odds))
    settings = {"objective": "binary", "num_leaves": 31, "max_depth": 8, "learning_rate": 0.05, "verbosity": -1}
    fixed = {"deterministic": True, "seed": 1, "num_threads": 1, "min_data_in_leaf": min(20, max(1, len(x) // 100))}
    data = lgb.Dataset(x, happened.astype(int), feature_name=list(FEATURES))
    return lgb.train({**settings, **fixed}, data, num_boost_round=500)

"""The components of the embedding, and the types that they belong to (Fig. 4a)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ...pl import embedding_heatmap
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import area_under_roc
from ..study import OURS, Study


def run(study: Study) -> pd.DataFrame:
    """Return the embedding of the paper's model, a row per cell, with the type."""
    embedding = study.fit(OURS).embedding
    if embedding is None:
        return pd.DataFrame()
    columns = [f"component {i}" for i in range(embedding.shape[1])]
    return pd.DataFrame(np.asarray(embedding, dtype=float).round(6), columns=columns).assign(group=study.labels)


def best(table: pd.DataFrame) -> pd.DataFrame:
    """Return for every type the component that tells its cells from the others best, with its AUC."""
    values = table.drop(columns="group")
    rows = []
    for name in sorted(table["group"].unique()):
        areas = area_under_roc(values.to_numpy(), (table["group"] == name).to_numpy())
        at = int(np.argmax(areas))
        rows.append({"type": name, "component": values.columns[at], "auc": float(areas[at])})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the mean AUC of the best component of every type."""
    means = {name: float(best(table)["auc"].mean()) for name, table in tables.items()}
    worst = {name: float(best(table)["auc"].min()) for name, table in tables.items()}
    note = "mean AUC of the best component of every type (least): "
    note += ", ".join(f"{name} {value:.2f} ({worst[name]:.2f})" for name, value in means.items())
    mean = float(np.mean(list(means.values())))
    return {"components of types": Finding(mean, None, min(means.values()) > _HIGH, tuple(tables), note)}


#: Mean AUC above which the components of a data set count as those of its types.
_HIGH = 0.8


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw components × cells for every data set."""
    text = "components of scCASE's embedding in the cells, ordered by type (Fig. 4a)."
    return [Drawing(partial(_heatmap, table), f"{name}: {text}") for name, table in tables.items()]


def _heatmap(table: pd.DataFrame) -> Any:
    obs = pd.DataFrame({"type": pd.Categorical(table["group"])}, index=table.index.astype(str))
    adata = AnnData(obs=obs, obsm={"X_sccase": table.drop(columns="group").to_numpy(dtype=float)})
    return embedding_heatmap(adata, "type")


def summary(tables: Tables) -> pd.DataFrame:
    """Return the component of every type."""
    return pd.concat([best(table).assign(data=name) for name, table in tables.items()], ignore_index=True)


EXPERIMENT = Experiment(
    name="embedding",
    title="Components of the types",
    shows="Fig. 4a",
    about=(
        "The cell embedding of scCASE: which component is highest in which type, as the area under the ROC curve of a "
        "component's values for the cells of a type against all others."
    ),
    place=4.05,
    claims=(
        Claim(
            "components of types",
            "components of the embedding are active in the cells of a type",
            "Results, 'scCASE intuitively reveals cell type-specific biological insights'; Fig. 4a",
            None,
            "AUC",
            on=("blood",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
)

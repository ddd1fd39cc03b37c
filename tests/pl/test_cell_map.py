"""Maps of cells: categories, booleans, numbers and their logarithm, cells without a value."""

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.pl._style import MISSING
from sccase_kit.pl.layouts import layout_cells


@pytest.fixture
def adata():
    rng = np.random.default_rng(0)
    obs = {
        "kind": pd.Categorical(["a", "b", np.nan, "a"] * 10),
        "good": [True, False] * 20,
        "depth": [0.0, 10.0, 100.0, np.nan] * 10,
    }
    result = ad.AnnData(np.ones((40, 2)), obs=pd.DataFrame(obs, index=[f"c{i}" for i in range(40)]))
    result.obsm["X_umap"] = rng.normal(size=(40, 2))
    result.obsm["X_line"] = rng.normal(size=(40, 1))
    return result


def points(ax):
    """Colour (as text) → number of points, of every scatter; a mapped one counts as 'map'."""
    found = {}
    for scatter in ax.collections:
        n = len(scatter.get_offsets())
        if scatter.get_array() is not None:
            found["map"] = n
        elif n:
            faces = [to_hex(c) for c in scatter.get_facecolors()]
            for color in faces if len(faces) == n else faces[:1] * n:
                found[color] = found.get(color, 0) + 1
    return found


def test_numbers_and_cells_without_one(adata):
    ax = sk.pl.cell_map(adata, "depth", basis="X_umap")
    assert points(ax) == {"map": 30, to_hex(MISSING): 10}


def test_logarithm_leaves_zeros_out(adata):
    ax = sk.pl.cell_map(adata, "depth", basis="X_umap", log10=True)
    assert points(ax) == {"map": 20, to_hex(MISSING): 20}
    (mapped,) = [c for c in ax.collections if c.get_array() is not None]
    assert sorted(set(mapped.get_array())) == [1.0, 2.0]
    assert [bar.get_ylabel() for bar in ax.child_axes] == ["log₁₀ depth"]


def test_the_bar_of_colours_stands_beside_its_panel(adata):
    adata.obs["wide"] = [f"a category with a long name {i % 20}" for i in range(40)]
    for name in ("X_umap_raw", "X_umap_sccase"):
        adata.obsm[name] = adata.obsm["X_umap"]
    record(adata, "sccase", "tl.enhance", params={}, objective=[1.0])
    grid = sk.pl.raw_against_enhanced(adata, ["wide", "depth"], log10=True)
    grid[0, 0].figure.canvas.draw()
    (bar,) = grid[1, 1].child_axes
    assert 0 < bar.get_window_extent().x0 - grid[1, 1].get_window_extent().x1 < 20
    assert bar.get_tightbbox().x1 <= grid[0, 0].figure.bbox.x1


@pytest.mark.parametrize(("color", "groups", "grey"), [("kind", [20, 10], 10), ("good", [20, 20], 0)])
def test_categories_and_booleans(adata, color, groups, grey):
    found = points(sk.pl.cell_map(adata, color, basis="X_umap"))
    assert found.pop(to_hex(MISSING), 0) == grey
    assert sorted(found.values()) == sorted(groups)


def test_one_panel_per_column(adata):
    panels = sk.pl.cell_map(adata, ["kind", "depth"], basis="X_umap", title="both", legend=False)
    assert [panel.get_title() for panel in panels] == ["both", "both"]
    with pytest.raises(ValueError, match="ax must hold 2 Axes"):
        sk.pl.cell_map(adata, ["kind", "depth"], basis="X_umap", ax=plt.subplots()[1])


def test_what_is_missing_is_said(adata):
    with pytest.raises(ValueError, match=r"basis='X_line' must have at least two columns.*\(40, 1\)"):
        sk.pl.cell_map(adata, "kind", basis="X_line")
    with pytest.raises(KeyError, match="basis='X_tsne'"):
        sk.pl.cell_map(adata, "kind", basis="X_tsne")
    with pytest.raises(KeyError, match="color='size'"):
        sk.pl.cell_map(adata, ["kind", "size"], basis="X_umap")


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_layouts_keep_groups_together_and_repeat(method):
    rng = np.random.default_rng(1)
    pcs = np.repeat(10.0 * np.eye(3, 5), 15, axis=0) + rng.normal(size=(45, 5))
    layout = layout_cells(pcs, method=method, n_neighbors=10)
    assert layout.shape == (45, 2)
    np.testing.assert_array_equal(layout, layout_cells(pcs, method=method, n_neighbors=10))
    centres = layout.reshape(3, 15, 2).mean(axis=1)
    nearest = np.linalg.norm(layout[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.repeat([0, 1, 2], 15))

"""What was computed and what can be done next, in words."""

from __future__ import annotations

import pandas as pd

import sccase_kit as sk
from sccase_kit._record import record


def test_nothing_done_yet():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    found = sk.overview(adata)
    assert [where for where, _, _ in found.done] == ["uns['toy_study']"]
    assert found.done[0][1] == "toy_study = sk.datasets.toy_study(n_cells=60, n_peaks=300, n_specific=15)"
    del adata.uns["toy_study"]
    assert repr(sk.overview(adata)) == "60 cells × 300 peaks\nnext:\n  sk.tl.enhance(adata)  # enhance the counts"


def test_calls_results_and_what_follows(full):
    found = sk.overview(full)
    calls = {where: code for where, code, _ in found.done}
    assert calls["steps"] == "sk.pp.filter_peaks(adata)"
    assert calls["uns['louvain']"] == "sk.tl.cluster(adata, n_clusters=4)"
    assert calls["uns['motifs']"] == "sk.tl.match_motifs(adata, motifs=motifs, sequences=sequences)"
    results = {where: what for where, _, what in found.done}
    assert f"peaks: {len(full.uns['specific_peaks']['peaks'])} rows" in results["uns['specific_peaks']"]
    following = [code for code, _ in found.following]
    assert "sk.metrics.held_out(" in following[0]
    assert "sk.browse(adata, 'cell_type')" in following
    assert not any("chromvar" in code or "enhance(" in code for code in following)
    assert found._repr_html_().count("<tr>") == 1 + len(found.done) + len(found.following)


def test_hostile_names_are_text():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 3, method="sccase", key_added="<script>")
    adata.uns["other"] = {"params": {"a": 1}, "table": pd.DataFrame()}
    found = sk.overview(adata)
    assert [where for where, _, _ in found.done] == ["uns['toy_study']", "uns['<script>']"]
    assert "<script>" not in found._repr_html_()


def test_results_say_what_they_are():
    study = sk.datasets.toy_study(n_cells=150, n_peaks=300)
    thin = sk.enhance.fit(study.adata.X, sk.enhance.METHODS["sccase"](n_components=3)).result
    assert repr(thin).startswith("Enhancement: 150 cells × 300 peaks, embedding of 3 components, thin factors of")
    table = pd.DataFrame({"gain": [0.25], "se": [0.01], "slope": [1.0]}, index=["mean"])
    judged = sk.metrics.HeldOut(table, table, n_cells=60, n_peaks=20, n_hidden=3000, share=0.3)
    assert repr(judged).splitlines()[0] == "HeldOut: 60 cells × 20 peaks, 3,000 hidden entries"
    assert "mean" in repr(judged)
    peaks = study.adata.var.rename(columns={"specific_to": "group"}).query("group != ''")
    great = sk.tl.great(peaks, "hg38", study.gene_sets, tss=study.genes, return_result=True)
    assert repr(great).startswith("GreatResult: 15 terms × 5 groups, ")


def test_what_follows_is_of_these_data(full):
    """The genome of the results, the groups that there are, and the batches of the fit."""
    adata = full.copy()
    adata.uns["specific_peaks"]["params"]["genome"] = "hg19"
    calls = [code for code, _ in sk.overview(adata).following]
    assert "sk.tl.annotate(adata, 'cell_type', 'blood', genome='hg19')" in calls
    assert calls[0] == (
        "from functools import partial; sk.metrics.held_out(adata, {'robust': partial(sk.tl.enhance, "
        "batch_key='batch', method='robust')}, key_added='held_out')"
    )


def test_the_genome_is_what_the_data_say_or_the_peaks_fit():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 3, method="sccase")
    sk.tl.cluster(adata)

    def great():
        sk.tl.specific_peaks(adata, "louvain", alpha=1)
        return next(code for code, _ in sk.overview(adata).following if "sk.tl.great" in code)

    assert great() == "sk.tl.great(adata, genome, 'GO:BP')"  # 300 peaks do not tell
    adata.uns["genome"] = "mm10"
    assert great() == "sk.tl.great(adata, 'mm10', 'GO:BP')"


def test_results_have_words(full):
    results = " ".join(what for _, _, what in sk.overview(full).done)
    assert "clusters: 4, number reached: yes" in results
    assert "_" not in results


def test_what_an_interpretation_did_is_not_offered_again(full):
    adata = full.copy()
    del adata.uns["great"], adata.uns["chromvar"]
    offered = " ".join(code for code, _ in sk.overview(adata).following)
    assert "sk.tl.great" in offered
    assert "sk.tl.chromvar" in offered
    record(adata, "interpret", "tl.interpret", params={"groupby": "cell_type"}, steps="peaks, great, motifs")
    offered = " ".join(code for code, _ in sk.overview(adata).following)
    assert "sk.tl.great" not in offered
    assert "sk.tl.chromvar" not in offered

"""Gene sets: GMT files and dicts, and how their genes are found among the genes of a TSS table."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._text_files import open_text


@dataclass(frozen=True, slots=True, eq=False)
class GeneSets:
    """Terms and their genes.

    Attributes
    ----------
    terms
        DataFrame id, name, ontology (str), one row per term. P-values are corrected within an ontology.
    names
        DataFrame gene (int64, number of a gene), name (str), kind ("id" or "symbol"): how a gene may be called. A gene
        is looked up by its ids; only if none of them is known, by its symbols.
    n_genes
        Number of genes.
    term_index, gene_index
        int arrays of equal length: the pairs of term and gene, without repeats.
    provenance
        Ontology → where it comes from, in one line: source, release, license, changes. Results carry it on.
    """

    terms: pd.DataFrame
    names: pd.DataFrame
    n_genes: int
    term_index: np.ndarray
    gene_index: np.ndarray
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.terms)

    def __repr__(self) -> str:
        ontologies = ", ".join(f"{o}: {n}" for o, n in self.terms["ontology"].value_counts(sort=False).items())
        return f"GeneSets with {len(self)} terms ({ontologies}) and {self.n_genes} genes"

    @classmethod
    def from_mapping(
        cls, sets: Mapping[str, Iterable[str]], *, names: Mapping[str, str] | None = None, ontology: str = ""
    ) -> GeneSets:
        """Return gene sets from term → genes (ids or symbols), with optional term → readable name."""
        for term, genes in sets.items():
            if isinstance(genes, (str, bytes)):
                msg = f"gene set {term!r} must be a list of genes, got the text {genes!r}"
                raise TypeError(msg)
            if not isinstance(genes, Iterable):
                msg = f"gene set {term!r} must be a list of genes, got {type(genes).__name__} {genes!r:.80}"
                raise TypeError(msg)
        if twice := [t for t, n in Counter(str(t) for t in sets).items() if n > 1]:
            msg = f"gene sets: the term {twice[0]!r} occurs more than once, as text and as another type; rename one"
            raise ValueError(msg)
        members = [list(dict.fromkeys(str(g) for g in genes)) for genes in sets.values()]
        flat = np.array([g for genes in members for g in genes], dtype=object)
        code, unique = pd.factorize(flat)
        ids = [str(t) for t in sets]
        terms = pd.DataFrame({"id": ids, "name": [(names or {}).get(t, t) for t in ids], "ontology": ontology})
        both = [pd.DataFrame({"gene": np.arange(len(unique)), "name": unique, "kind": kind}) for kind in _KINDS]
        term_index = np.repeat(np.arange(len(members)), [len(m) for m in members])
        return cls(terms, pd.concat(both, ignore_index=True), len(unique), term_index, code.astype(np.int64))

    def to_dict(self, *, kind: str = "symbol") -> dict[str, list[str]]:
        """Return term id → gene names of one kind ("symbol" or "id"; the first name of every gene)."""
        first = self.names[self.names["kind"] == kind].drop_duplicates("gene").set_index("gene")["name"]
        label = first.reindex(np.arange(self.n_genes)).to_numpy(object)
        order = np.argsort(self.term_index, kind="stable")
        parts = np.split(self.gene_index[order], np.searchsorted(self.term_index[order], np.arange(1, len(self))))
        return {
            term: [g for g in label[part] if isinstance(g, str)]
            for term, part in zip(self.terms["id"], parts, strict=True)
        }

    def take(self, places: np.ndarray) -> GeneSets:
        """Return the terms at these places; the genes stay."""
        places = np.asarray(places, dtype=np.int64)
        new = np.full(len(self), -1)
        new[places] = np.arange(len(places))
        kept = new[self.term_index] >= 0
        terms = self.terms.iloc[places].reset_index(drop=True)
        about = {o: text for o, text in self.provenance.items() if o in set(terms["ontology"])}
        index = new[self.term_index[kept]]
        return replace(self, terms=terms, term_index=index, gene_index=self.gene_index[kept], provenance=about)

    def only(self, ontologies: Iterable[str]) -> GeneSets:
        """Return the terms of some ontologies."""
        return self.take(np.flatnonzero(self.terms["ontology"].isin(list(ontologies))))

    @property
    def source(self) -> str:
        """Where the sets come from, one text; ontologies of one source are named together."""
        by_text: dict[str, list[str]] = {}
        for ontology, text in self.provenance.items():
            by_text.setdefault(text, []).append(ontology)
        return " | ".join(f"{', '.join(names)}: {text}" for text, names in by_text.items())

    def match(self, tss: pd.DataFrame) -> tuple[sparse.csc_matrix, float]:
        """Find the genes among the rows of a TSS table.

        Returns
        -------
        matrix
            CSC, int8, TSS rows × terms: 1 where the gene belongs to the term; indices sorted.
        unknown
            Share of the genes that occur in a term but not in the table.
        """
        ids = tss["gene_id"].str.split(",").explode()
        ids = pd.concat([ids, ids.str.replace(r"\.\d+$", "", regex=True)])
        found = _lookup(self.names[self.names["kind"] == "id"], ids)
        rest = self.names[(self.names["kind"] == "symbol") & ~self.names["gene"].isin(found["gene"])]
        found = pd.concat([found, _lookup(rest, tss["symbol"])]).drop_duplicates()
        used = np.unique(self.gene_index)
        unknown = 1.0 - np.isin(used, found["gene"]).mean() if len(used) else 0.0
        rows_by_gene = _binary(found["row"], found["gene"], (len(tss), self.n_genes))
        genes_by_term = _binary(self.gene_index, self.term_index, (self.n_genes, len(self)))
        matrix = (rows_by_gene @ genes_by_term).tocsc()
        matrix.data = np.ones(len(matrix.data), dtype=np.int8)
        matrix.sort_indices()
        return matrix, float(unknown)


_KINDS = ("id", "symbol")
_ADDRESS = re.compile(r"(https?|ftp)://|www\.", re.IGNORECASE)
_IDENTIFIER = re.compile(r"((GO|HP|MP|DOID|CL|UBERON):\d+|R-[A-Z]{3}-\d+|WP\d+)$")


def _binary(rows, columns, shape: tuple[int, int]) -> sparse.csr_matrix:
    data = np.ones(len(rows), dtype=np.int32)
    return sparse.csr_matrix((data, (np.asarray(rows), np.asarray(columns))), shape=shape)


def _lookup(names: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Return the pairs gene, row of equal `names["name"]` and `labels` (whose index numbers the rows)."""
    rows = pd.DataFrame({"name": labels.to_numpy(object), "row": labels.index.to_numpy()}).drop_duplicates()
    return names.merge(rows, on="name")[["gene", "row"]]


def combine(*sets: GeneSets) -> GeneSets:
    """Join several gene sets into one; their ontologies keep them apart."""
    offsets_g = np.cumsum([0, *(s.n_genes for s in sets)])
    offsets_t = np.cumsum([0, *(len(s) for s in sets)])
    names = [s.names.assign(gene=s.names["gene"] + o) for s, o in zip(sets, offsets_g[:-1], strict=True)]
    return GeneSets(
        pd.concat([s.terms for s in sets], ignore_index=True),
        pd.concat(names, ignore_index=True),
        int(offsets_g[-1]),
        np.concatenate([s.term_index + o for s, o in zip(sets, offsets_t[:-1], strict=True)]),
        np.concatenate([s.gene_index + o for s, o in zip(sets, offsets_g[:-1], strict=True)]),
        {ontology: text for part in sets for ontology, text in part.provenance.items()},
    )


def renamed(sets: GeneSets, ontology: str) -> GeneSets:
    """Return the sets as one ontology of this name."""
    texts = list(dict.fromkeys(sets.provenance.values()))
    return replace(
        sets, terms=sets.terms.assign(ontology=ontology), provenance={ontology: "; ".join(texts)} if texts else {}
    )


@checked()
def read_gmt(path: str | os.PathLike[str], *, ontology: str | None = None) -> GeneSets:
    """Read gene sets from a GMT file: term, description, then the genes, separated by tabs (plain or gzip).

    The description is the readable name of the term, unless it is empty, an address, an identifier (``GO:0042113``), or
    that of several terms, as in MSigDB's files; the term then is its own name.

    Parameters
    ----------
    path
        The file.
    ontology
        Name of the collection; by default the name of the file without its endings.

    Returns
    -------
    The :class:`GeneSets`.

    Raises
    ------
    ValueError
        If a line has no gene or a term occurs twice; the message gives the file and the line.
    """
    sets: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip() or line.startswith("#"):
                continue
            term, *rest = line.rstrip("\r\n").split("\t")
            genes = [g.strip() for g in rest[1:] if g.strip()]
            if not genes:
                msg = f"{path}, line {number}: expected term, description and genes, separated by tabs: {line[:80]!r}"
                raise ValueError(msg)
            if term in sets:
                msg = f"{path}, line {number}: the term {term!r} occurs a second time"
                raise ValueError(msg)
            sets[term] = genes
            names[term] = rest[0].strip() or term
    if not sets:
        msg = f"{path} holds no gene set"
        raise ValueError(msg)
    shared = Counter(names.values())
    own = {t for t, text in names.items() if shared[text] > 1 or _ADDRESS.match(text) or _IDENTIFIER.match(text)}
    names = {t: t if t in own else text for t, text in names.items()}
    label = Path(path).name.removesuffix(".gz").removesuffix(".gmt") if ontology is None else ontology
    found = GeneSets.from_mapping(sets, names=names, ontology=label)
    return replace(found, provenance={label: f"file {Path(path).name}"})

"""Gene Ontology sets without a network: from Bioconductor's OrgDb sqlite files, or from a GAF and an OBO file."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._atomic import check_path
from .._logging import logger
from .._remedy import with_remedy
from .._text_files import open_text
from .._validate import check_choice
from .sets import GeneSets

ONTOLOGIES = {"BP": "GO Biological Process", "MF": "GO Molecular Function", "CC": "GO Cellular Component"}
_NAMESPACES = {"biological_process": "BP", "molecular_function": "MF", "cellular_component": "CC"}
_ASPECTS = {"P": "BP", "F": "MF", "C": "CC"}
_ENSEMBL = re.compile(r"^ENS[A-Z]*G\d+$")


def _libraries() -> list[Path]:
    """Return the folders where R packages usually lie."""
    told = [os.environ[v] for v in ("R_LIBS_USER", "R_LIBS", "R_LIBS_SITE") if os.environ.get(v)]
    folders = [Path(p).expanduser() for group in told for p in group.split(os.pathsep)]
    if prefix := os.environ.get("CONDA_PREFIX"):
        folders.append(Path(prefix) / "lib/R/library")
    folders += [Path(p) for p in ("/usr/local/lib/R/site-library", "/usr/lib/R/site-library", "/usr/lib/R/library")]
    return [*folders, *Path.home().glob("R/*/*")]


def _find_database(package: str, beside: Path | None = None) -> Path | None:
    folders = ([beside.parents[2]] if beside is not None and len(beside.parents) > 2 else []) + _libraries()
    file = f"{package.removesuffix('.db')}.sqlite"
    return next((p for f in folders if (p := f / package / "extdata" / file).is_file()), None)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _check_ontologies(ontologies: Iterable[str]) -> list[str]:
    found = [ontologies] if isinstance(ontologies, str) else list(ontologies)
    return [check_choice(o, ONTOLOGIES, name="ontologies") for o in found]


def _orgdb(path: str | os.PathLike[str] | None) -> Path:
    """Return the OrgDb file: the given one, or the human one that is installed."""
    if path is None:
        source = _find_database("org.Hs.eg.db")
        if source is None:
            msg = (
                "org.Hs.eg.sqlite was not found in the usual R libraries. Install it (Debian, Ubuntu: apt-get install "
                "r-bioc-org.hs.eg.db r-bioc-go.db; R: BiocManager::install('org.Hs.eg.db')) or pass path="
            )
            raise with_remedy(FileNotFoundError(msg), "gene_sets")
        return source
    source = check_path(path)
    if not source.is_file():
        msg = f"path: there is no file {str(source)!r}"
        raise FileNotFoundError(msg)
    return source


def orgdb_dates(path: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Return what an OrgDb says of its sources: name of the entry → value; "of unknown date" for what is missing."""
    known: dict[str, str] = {}
    with closing(_connect(_orgdb(path))) as database:
        try:
            known = dict(database.execute("SELECT name, value FROM metadata"))
        except sqlite3.DatabaseError:
            logger.info("the OrgDb has no table metadata; its dates are not known")
    return defaultdict(lambda: "of unknown date", known)


@checked()
def go_from_orgdb(
    path: str | os.PathLike[str] | None = None,
    *,
    ontologies: Iterable[str] = ("BP", "MF", "CC"),
    exclude_evidence: Iterable[str] = ("ND",),
    go_db: str | os.PathLike[str] | None = None,
    relations: Iterable[str] | None = None,
) -> GeneSets:
    """Read GO gene sets, propagated to all ancestors, from a Bioconductor OrgDb file.

    Parameters
    ----------
    path
        An ``org.*.eg.sqlite`` file. None looks for org.Hs.eg.db in the usual R libraries (Debian: ``apt-get install
        r-bioc-org.hs.eg.db``).
    ontologies
        Which of BP, MF, CC.
    exclude_evidence
        Evidence codes to leave out; ND means "no data".
    go_db
        ``GO.sqlite`` of GO.db with the names of the terms; None looks next to `path` and in the usual R libraries.
        Without it, terms are named by their ids.
    relations
        Along which relations an annotation holds for the parent too, such as ``("is_a", "part_of")``, which needs
        GO.db. None takes Bioconductor's own propagation, which also follows the three "regulates" relations: there,
        a gene that regulates a process belongs to the process.

    Returns
    -------
    :class:`GeneSets`; genes are known by their Ensembl ids, and by symbol where no Ensembl id is found.

    Raises
    ------
    FileNotFoundError
        If there is no database.
    ValueError
        If the file is not an OrgDb.
    """
    wanted = _check_ontologies(ontologies)
    source = _orgdb(path)
    excluded = list(exclude_evidence)
    marks = ",".join("?" * len(excluded))
    names_from = Path(go_db) if go_db is not None else _find_database("GO.db", beside=source)
    lines = None if relations is None else _lineage(names_from, list(relations))
    parts = []
    try:
        with closing(_connect(source)) as database:
            for ontology in wanted:
                table = f"go_{ontology.lower()}" + ("_all" if lines is None else "")
                query = f"SELECT DISTINCT _id, go_id FROM {table} WHERE evidence NOT IN ({marks})"
                part = pd.DataFrame(database.execute(query, excluded).fetchall(), columns=["gene", "id"])
                part = part if lines is None else _propagate(part, *lines)
                parts.append(part.assign(ontology=ONTOLOGIES[ontology]))
            ensembl = pd.DataFrame(
                database.execute("SELECT _id, ensembl_id FROM ensembl").fetchall(), columns=["gene", "name"]
            )
            symbol = pd.DataFrame(
                database.execute("SELECT _id, symbol FROM gene_info").fetchall(), columns=["gene", "name"]
            )
    except sqlite3.DatabaseError as err:
        msg = f"{source} is not an OrgDb sqlite file with GO tables ({err})"
        raise ValueError(msg) from err
    names = pd.concat([ensembl.assign(kind="id"), symbol.assign(kind="symbol")], ignore_index=True)
    return _build(pd.concat(parts, ignore_index=True), names, _term_names(names_from))


def _lineage(path: Path | None, relations: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the terms (id, namespace) and their parents (child, parent) by these relations, from GO.db."""
    if path is None or not path.is_file():
        msg = "relations= needs GO.db (Debian: apt-get install r-bioc-go.db); pass go_db= with its GO.sqlite"
        raise FileNotFoundError(msg)
    with closing(_connect(path)) as database:
        terms = pd.DataFrame(
            database.execute("SELECT _id, go_id, ontology FROM go_term"), columns=["key", "id", "code"]
        )
        parts = [
            pd.DataFrame(
                database.execute(f"SELECT _id, _parent_id, relationship_type FROM go_{code}_parents").fetchall(),
                columns=["child", "parent", "kind"],
            )
            for code in ("bp", "mf", "cc")
        ]
    parents = pd.concat(parts, ignore_index=True)
    kinds = parents["kind"].str.replace("isa", "is_a").str.replace(" ", "_")
    for relation in relations:
        check_choice(relation, sorted(kinds.unique()), name="relations")
    name = terms.set_index("key")["id"]
    parents = parents[kinds.isin(relations) & parents["child"].isin(name.index) & parents["parent"].isin(name.index)]
    parents = pd.DataFrame({"child": name[parents["child"]].to_numpy(), "parent": name[parents["parent"]].to_numpy()})
    return terms.rename(columns={"code": "namespace"}), parents


def _propagate(direct: pd.DataFrame, terms: pd.DataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs gene, id of annotations and of all that they imply."""
    number = pd.Series(np.arange(len(terms)), index=terms["id"])
    place = number.reindex(direct["id"]).to_numpy(float)
    known = ~np.isnan(place)
    code, genes = pd.factorize(direct["gene"][known])
    shape = (len(genes), len(terms))
    pairs = sparse.csr_matrix((np.ones(len(code), np.int32), (code, place[known].astype(int))), shape=shape)
    reach = (pairs @ _ancestors(terms, parents, number)).tocoo()
    return pd.DataFrame({"gene": genes[reach.row], "id": terms["id"].to_numpy()[reach.col]})


def _term_names(path: Path | None) -> dict[str, str]:
    if path is None:
        logger.info("GO.db was not found: terms are named by their ids (Debian: apt-get install r-bioc-go.db)")
        return {}
    if not path.is_file():
        msg = f"go_db: there is no file {str(path)!r}"
        raise FileNotFoundError(msg)
    with closing(_connect(path)) as database:
        return dict(database.execute("SELECT go_id, term FROM go_term"))


def _build(pairs: pd.DataFrame, names: pd.DataFrame, labels: dict[str, str]) -> GeneSets:
    """Build gene sets from pairs gene, id, ontology and names gene, name, kind (genes in any numbering)."""
    term_index, _ = pd.factorize(pairs["id"])
    gene_index, genes = pd.factorize(pairs["gene"])
    table = pairs[["id", "ontology"]].drop_duplicates("id").reset_index(drop=True)
    table.insert(1, "name", [labels.get(t, t) for t in table["id"]])
    number = pd.Series(np.arange(len(genes)), index=genes)
    names = names[names["gene"].isin(number.index)].drop_duplicates()
    names = names.assign(gene=number.reindex(names["gene"]).to_numpy()).reset_index(drop=True)
    return GeneSets(table, names, len(genes), term_index.astype(np.int64), gene_index.astype(np.int64))


def read_obo(
    path: str | os.PathLike[str], *, relations: Iterable[str] = ("is_a", "part_of")
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Read the terms of an OBO file such as ``go-basic.obo``.

    Returns
    -------
    terms
        DataFrame id, name, namespace of the terms that are not obsolete.
    parents
        DataFrame child, parent: the given relations.
    alternatives
        Alternative id → id.

    Raises
    ------
    ValueError
        If a term has no id or no namespace, or there is no term; the message gives the file and the line.
    """
    relations = set(relations)
    terms: list[tuple[str, str, str]] = []
    parents: list[tuple[str, str]] = []
    alternatives: dict[str, str] = {}
    current: dict[str, Any] | None = None
    default_namespace = ""

    def close(number: int) -> None:
        if current is None or current.get("obsolete"):
            return
        if "id" not in current or not (current.get("namespace") or default_namespace):
            msg = f"{path}, line {number}: the [Term] that ends here has no id or no namespace"
            raise ValueError(msg)
        terms.append((current["id"], current.get("name", current["id"]), current.get("namespace") or default_namespace))
        parents.extend((current["id"], p) for p in current["parents"])
        alternatives.update(dict.fromkeys(current["alternatives"], current["id"]))

    number = 0
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            text = line.split(" ! ")[0].strip()
            if text.startswith("["):
                close(number)
                current = {"parents": [], "alternatives": []} if text == "[Term]" else None
                continue
            tag, _, value = text.partition(": ")
            if current is None:
                default_namespace = value if tag == "default-namespace" else default_namespace
            elif tag in ("id", "name", "namespace"):
                current[tag] = value
            elif tag == "is_obsolete":
                current["obsolete"] = value == "true"
            elif tag == "alt_id":
                current["alternatives"].append(value)
            elif tag == "is_a" and "is_a" in relations:
                if not value.strip():
                    msg = f"{path}, line {number}: is_a without a term"
                    raise ValueError(msg)
                current["parents"].append(value.split()[0])
            elif tag == "relationship":
                kind, target, *_ = [*value.split(), "", ""]
                if kind in relations and target:
                    current["parents"].append(target)
    close(number)
    if not terms:
        msg = f"{path}: no [Term] was found; is it an OBO file?"
        raise ValueError(msg)
    table = pd.DataFrame(terms, columns=["id", "name", "namespace"])
    return table, pd.DataFrame(parents, columns=["child", "parent"]), alternatives


def read_gaf(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a GO annotation file (GAF 2).

    Returns
    -------
    DataFrame gene (database id), symbol, negated (bool), id, evidence, aspect (P, F, C), synonyms, taxon (NCBI
    number as text, of the gene).

    Raises
    ------
    ValueError
        If a line has fewer than 15 columns; the message gives the file and the line.
    """
    rows = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith("!") or not line.strip():
                continue
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) < 15 or cells[8] not in _ASPECTS:
                msg = f"{path}, line {number}: expected a GAF 2 line (15 columns, aspect P, F or C), got {line[:80]!r}"
                raise ValueError(msg)
            taxon = cells[12].split("|")[0].rpartition(":")[2]
            negated = "NOT" in cells[3].split("|")
            rows.append((cells[1], cells[2], negated, cells[4], cells[6], cells[8], cells[10], taxon))
    if not rows:
        msg = f"{path} holds no annotation"
        raise ValueError(msg)
    return pd.DataFrame(rows, columns=["gene", "symbol", "negated", "id", "evidence", "aspect", "synonyms", "taxon"])


@checked()
def go_from_gaf(
    gaf: str | os.PathLike[str],
    obo: str | os.PathLike[str],
    *,
    ontologies: Iterable[str] = ("BP", "MF", "CC"),
    exclude_evidence: Iterable[str] = ("ND",),
    relations: Iterable[str] = ("is_a", "part_of"),
    taxon: int | None = None,
) -> GeneSets:
    """Read GO gene sets from an annotation file and the ontology, and propagate them to all ancestors.

    Parameters
    ----------
    gaf, obo
        For example ``goa_human.gaf.gz`` and ``go-basic.obo`` of the Gene Ontology (plain or gzip).
    ontologies, exclude_evidence
        As in :func:`go_from_orgdb`.
    relations
        Along which relations an annotation holds for the parent too, within its own ontology.
    taxon
        NCBI number of the species (mouse: 10090): annotations of others are left out and counted. `None` takes all.

    Returns
    -------
    :class:`GeneSets`; genes are known by database id and Ensembl ids among their synonyms, else by symbol.
    Annotations with the qualifier NOT are left out.

    Raises
    ------
    ValueError
        If a line cannot be read (file and line are given), no annotation is of `taxon`, or none is left.
    """
    wanted = _check_ontologies(ontologies)
    terms, parents, alternatives = read_obo(obo, relations=relations)
    table = read_gaf(gaf)
    if taxon is not None:
        others = table.loc[table["taxon"] != str(taxon), "taxon"].value_counts()
        if others.sum() == len(table):
            msg = f"{gaf} is of another species: none of its {len(table)} annotations is of taxon {taxon}, they are of "
            msg += f"{others.head(3).to_dict()}"
            raise ValueError(msg)
        if len(others):
            logger.info(
                "%d of %d annotations are of other taxa and left out: %s", others.sum(), len(table), dict(others)
            )
            table = table[table["taxon"] == str(taxon)]
    genes = table.drop_duplicates("gene")
    table = table[~table["negated"] & ~table["evidence"].isin(list(exclude_evidence))]
    number = pd.Series(np.arange(len(terms)), index=terms["id"])
    place = number.reindex(table["id"].replace(alternatives)).to_numpy(float)
    lost = np.isnan(place)
    if lost.any():
        logger.info("%d of %d annotations name terms that %s does not have", lost.sum(), len(place), obo)
    if lost.all():
        msg = f"no annotation of {gaf} is left: {len(place)} after the filters, none of their terms is in {obo}"
        raise ValueError(msg)
    direct = pd.DataFrame({"gene": table["gene"], "id": table["id"].replace(alternatives)})[~lost]
    pairs = _propagate(direct, terms, parents)
    pairs["code"] = terms.set_index("id")["namespace"].map(_NAMESPACES).reindex(pairs["id"]).to_numpy()
    pairs = pairs[pairs["code"].isin(wanted)]
    pairs["ontology"] = pairs.pop("code").map(ONTOLOGIES)
    synonyms = genes.assign(name=genes["synonyms"].str.split("|")).explode("name")
    synonyms = synonyms[synonyms["name"].map(lambda s: bool(_ENSEMBL.match(s)))]
    parts = [genes.assign(name=genes["gene"], kind="id"), synonyms.assign(kind="id")]
    names = pd.concat([*parts, genes.assign(name=genes["symbol"], kind="symbol")])[["gene", "name", "kind"]]
    names = names[names["name"] != ""]  # some genes have no symbol
    return _build(pairs.reset_index(drop=True), names, dict(zip(terms["id"], terms["name"], strict=True)))


def _ancestors(terms: pd.DataFrame, parents: pd.DataFrame, number: pd.Series) -> sparse.csr_matrix:
    """Return CSR terms × terms: 1 where the column is the row itself or an ancestor in the same namespace."""
    child, parent = (number.reindex(parents[c]).to_numpy(float) for c in ("child", "parent"))
    known = ~np.isnan(child) & ~np.isnan(parent)
    child, parent = child[known].astype(int), parent[known].astype(int)
    namespace = terms["namespace"].to_numpy()
    same = namespace[child] == namespace[parent]
    n = len(terms)
    step = sparse.csr_matrix((np.ones(int(same.sum()), np.int32), (child[same], parent[same])), shape=(n, n))
    reach = (step + sparse.identity(n, np.int32, format="csr")).tocsr()
    size = -1
    while reach.nnz != size:
        size = reach.nnz
        reach = reach @ reach
        reach.data[:] = 1
    return reach

"""Motifs in the peaks of an AnnData, and the GC content of the peaks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._progress import progress
from .._record import as_object, record
from .._validate import check_adata, check_choice, check_number, check_slot
from ..intervals.assembly import check_unknown
from ..intervals.chromosomes import Unknown
from ..intervals.peaks import require_coordinates
from ..matrix.access import in_memory_copy
from ..motifs import Motif, as_motifs, encode_sequences, fetch_sequences, gc_content, jaspar_motifs, match
from ..motifs.motif_files import R_ENDINGS
from ..motifs.motif_sources import labels, source_of
from ..motifs.sequences import given_sequences

_RELEASE = re.compile(r"JASPAR\d{4}", re.IGNORECASE)


@checked()
def match_motifs(
    adata: AnnData,
    motifs: Any = "JASPAR",
    genome_fasta: str | os.PathLike[str] | None = None,
    *,
    sequences: Mapping[str, str] | Sequence[str] | None = None,
    p_cutoff: float = 5e-5,
    background: Literal["subject", "even"] | Sequence[float] = "subject",
    compat: bool = False,
    scores: bool = False,
    unknown: Unknown = "drop",
    engine: Literal["python", "r"] = "python",
    key_added: str = "motifs",
    copy: bool = False,
) -> AnnData | None:
    """Find which motifs occur in which peaks, on either strand.

    Parameters
    ----------
    adata
        Data with chrom, start, end in `var` (unless `sequences` are given).
    motifs
        ``"JASPAR"`` or a release such as ``"JASPAR2024"`` (vertebrates, CORE; through pyjaspar, offline); a file of
        motifs, see :func:`sccase_kit.motifs.read_motifs`, or of R (.rds, .rda) with a PFMatrixList, PWMatrixList or
        universalmotifs; name → counts (4 × width, rows A, C, G, T); or a list of
        :class:`sccase_kit.motifs.Motif`, as :func:`sccase_kit.motifs.jaspar_motifs` gives for other selections.
    genome_fasta
        FASTA file of the genome on which the peaks were called.
    sequences
        Instead of `genome_fasta`: peak name → DNA, or one string per peak in the order of `var`.
    p_cutoff
        Probability that a random site matches.
    background
        Base frequencies: of all the peaks (``"subject"``; matches of one peak then depend a little on the others),
        ``"even"``, or the frequencies of A, C, G, T.
    compat
        Reproduce motifmatchr's two errors, see :func:`sccase_kit.motifs.match`.
    scores
        Also write the best score and the number of the matches.
    unknown
        Peaks on sequences that the FASTA file does not have (scaffolds): ``"drop"`` leaves them out with a warning, so
        that they match nothing and have no GC content, ``"error"`` raises. Chromosomes are found in every usual
        spelling.
    engine
        ``"python"``, or ``"r"``: the R package motifmatchr on the same peaks.
    key_added
        Start of the keys written.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written (M motifs):

    `varm[key_added]`
        CSR of bool (n_vars × M): the motif occurs in the peak.
    `varm[f"{key_added}_scores"]`, `varm[f"{key_added}_counts"]`
        With `scores`: CSR of float64 and int32, highest score and number of the matches.
    `var["gc"]`
        GC content of the peaks, float64, NaN for peaks of N only; not where the column exists.
    `uns[key_added]`
        ``names`` (unique labels of the columns), ``ids`` and ``tf`` (identifiers and names as in the source),
        ``thresholds`` (score that a match reaches), ``frequencies`` (of A, C, G, T; with ``engine="r"`` those asked
        for), ``profiles`` (4 × sum of widths, the counts side by side), ``widths``, and ``params``.

    Raises
    ------
    ImportError
        If pyjaspar or pyfaidx is needed and missing.
    KeyError
        If `sequences` lacks peaks.
    ValueError
        If neither or both of `genome_fasta` and `sequences` are given, peaks have no coordinates or lie off the
        genome, a motif is not valid, or there is no motif.

    References
    ----------
    Schep, motifmatchr 1.1.1; Korhonen et al., Bioinformatics 2009 (MOODS); Rauluseviciute et al., NAR 2024 (JASPAR).
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.match_motifs")
    check_choice(engine, ["python", "r"], name="engine")
    p_cutoff = check_number(p_cutoff, name="p_cutoff", minimum=0, maximum=1, exclusive=True)
    found = _motifs(motifs)
    dna, left_out = _sequences(adata, genome_fasta, sequences, unknown)
    gc = gc_content(dna)
    if n_empty := int(np.isnan(gc).sum()) - left_out:
        warn(f"{n_empty} peak(s) hold no A, C, G or T (only N); they match nothing and have no GC content")
    if engine == "python":
        result = _python(dna, found, p_cutoff, background, compat=compat)
    else:
        result = _r(dna, found, p_cutoff, background, compat=compat)
    target = in_memory_copy(adata) if copy else adata
    target.varm[key_added] = result["matches"]
    if scores:
        target.varm[f"{key_added}_scores"] = result["scores"]
        target.varm[f"{key_added}_counts"] = result["counts"]
    if "gc" not in target.var.columns:
        target.var["gc"] = gc
    result_here = {
        "names": np.array(motif_labels(found), dtype=object),
        "ids": np.array([motif.id for motif in found], dtype=object),
        "tf": np.array([motif.name for motif in found], dtype=object),
        "thresholds": np.asarray(result["thresholds"], dtype=np.float64),
        "frequencies": np.asarray(result["frequencies"], dtype=np.float64),
        "profiles": np.hstack([motif.counts for motif in found]),
        "widths": np.array([len(motif) for motif in found], dtype=np.int64),
    }
    params = {
        "motifs": motifs if isinstance(motifs, str) else as_object(motifs),
        "genome_fasta": genome_fasta,
        "sequences": as_object(sequences),
        "p_cutoff": p_cutoff,
        "background": background if isinstance(background, str) else [float(f) for f in background],
        "compat": bool(compat),
        "engine": engine,
        "scores": bool(scores),
    }
    result_here |= {"r_session": result["session"]} if engine == "r" else {}
    record(target, key_added, "tl.match_motifs", params=params, **result_here)
    return target if copy else None


@checked()
def add_gc_content(
    adata: AnnData,
    genome_fasta: str | os.PathLike[str] | None = None,
    *,
    sequences: Mapping[str, str] | Sequence[str] | None = None,
    unknown: Unknown = "drop",
    key_added: str = "gc",
    copy: bool = False,
) -> AnnData | None:
    """Compute the GC content of the peaks, on which background peaks are matched.

    Parameters
    ----------
    adata
        Data with chrom, start, end in `var` (unless `sequences` are given).
    genome_fasta
        FASTA file of the genome on which the peaks were called.
    sequences
        Instead of `genome_fasta`: peak name → DNA, or one string per peak in the order of `var`.
    unknown
        See :func:`match_motifs`.
    key_added
        Column of `var`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: `var[key_added]`, float64, (C + G) / (A + C + G + T); NaN for peaks of N only.

    Raises
    ------
    ImportError
        If pyfaidx is needed and missing.
    KeyError
        If `sequences` lacks peaks.
    ValueError
        If neither or both of `genome_fasta` and `sequences` are given, or peaks have no coordinates or lie off the
        genome.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.add_gc_content(adata, sequences=['ACGT', 'GGCC'] * 250)
    >>> adata.var['gc'][:2].tolist()
    [0.5, 1.0]
    """
    check_adata(adata)
    check_slot(key_added)
    gc = gc_content(_sequences(adata, genome_fasta, sequences, unknown)[0])
    target = in_memory_copy(adata) if copy else adata
    target.var[key_added] = gc
    return target if copy else None


def motif_labels(motifs: Sequence[Motif]) -> list[str]:
    """Return unique labels: the name of a motif, with its identifier where others share the name."""
    names = [motif.name for motif in motifs]
    return [
        name if names.count(name) == 1 else f"{name} ({motif.id})" for name, motif in zip(names, motifs, strict=True)
    ]


def _motifs(motifs: Any) -> list[Motif]:
    if isinstance(motifs, str):
        motifs = next((label for label in labels() if label.upper() == motifs.upper()), motifs)
        if _RELEASE.fullmatch(motifs) and source_of(motifs) is None:
            return jaspar_motifs(release=motifs.upper())  # pyjaspar names those that it has
    if isinstance(motifs, (str, os.PathLike)) and source_of(motifs) is None and not os.path.exists(motifs):
        msg = f"motifs: no file {os.fspath(motifs)!r}; give a file, 'JASPAR', a release such as 'JASPAR2024', or motifs"
        msg += f" (names that are known: {labels()})"
        raise FileNotFoundError(msg)
    if isinstance(motifs, (str, os.PathLike)) and os.fspath(motifs).lower().endswith(R_ENDINGS):
        motifs = _motifs_of_r(motifs)
    return as_motifs(motifs)


def _motifs_of_r(path: str | os.PathLike[str]) -> list[Motif]:
    from .. import r

    found = r.read(path)
    found = [found] if isinstance(found, Motif) else found
    if not isinstance(found, list) or not all(isinstance(motif, Motif) for motif in found):
        held = list(found) if isinstance(found, dict) else type(found).__name__
        msg = (
            f"motifs: {os.fspath(path)} holds no list of motifs but {held}; sk.r.read(path, name=...) chooses an object"
        )
        raise ValueError(msg)
    return found


def _sequences(adata: AnnData, genome_fasta: Any, sequences: Any, unknown: Unknown) -> tuple[Any, int]:
    """Return the encoded sequences of the peaks, and how many the genome does not have."""
    if (genome_fasta is None) == (sequences is None):
        given = "neither was given" if sequences is None else "both were given"
        msg = f"give either genome_fasta (a FASTA file) or sequences (peak name → DNA); {given}"
        raise ValueError(msg)
    check_unknown(unknown)
    if sequences is None:
        found = fetch_sequences(require_coordinates(adata), genome_fasta, unknown=unknown)
        return encode_sequences(found), found.count("N")
    if isinstance(sequences, str):
        msg = f"sequences must map peak names to DNA or hold one string per peak, got the string {sequences[:40]!r}"
        raise TypeError(msg)
    return encode_sequences(given_sequences(sequences, list(adata.var_names))), 0


def _python(dna: Any, motifs: list[Motif], p_cutoff: float, background: Any, *, compat: bool) -> dict[str, Any]:
    with progress(total=len(motifs), desc="motifs", unit="motif") as bar:
        found = match(
            dna,
            motifs,
            p_cutoff,
            background=background,
            compat=compat,
            report=lambda done: bar.update(done - bar.n),
        )
    fields = {name: getattr(found, name) for name in ("matches", "scores", "counts", "thresholds")}
    return fields | {"frequencies": found.background}


def _r(dna: Any, motifs: list[Motif], p_cutoff: float, background: Any, *, compat: bool) -> dict[str, Any]:
    from .. import r
    from ..motifs.matching import background_frequencies

    if compat:
        warn("compat=True is ignored with engine='r', which is motifmatchr itself")
    frequencies = background_frequencies(background, dna)
    letters = np.frombuffer(b"ACGTN", dtype=np.uint8)[dna.codes].tobytes().decode("ascii")
    strings = [letters[a : b - 1] for a, b in zip(dna.starts[:-1], dna.starts[1:], strict=True)]
    raw = r.match_motifs(strings, {m.id: m.counts for m in motifs}, p_cutoff=p_cutoff, background=background)
    fields = {name: sparse.csr_matrix(raw[name]) for name in ("matches", "scores", "counts")}
    return fields | {"thresholds": raw["thresholds"], "frequencies": frequencies, "session": raw["session"]}

"""The files of genome browsers: bedGraph, bigWig, a UCSC track hub, IGV sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from .._optional import import_optional

#: UCSC's and IGV's colour of a track without one of its own.
PLAIN = "#0072B2"


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a folder.

    Attributes
    ----------
    name
        What people read.
    what
        What it shows, in a line.
    file
        Name of the file in the folder, without the ending.
    section
        What kind of values it holds, such as "counts"; tracks of a section share their axis.
    color
        As ``#RRGGBB``.
    top
        Value at the top of the axis.
    """

    name: str
    what: str
    file: str
    section: str
    color: str
    top: float


def write_bedgraph(path: Path, table: pd.DataFrame, *, name: str, color: str) -> None:
    """Write chrom, start, end, value with a track line; values of 0 are left out."""
    name = " ".join(name.replace('"', "'").split())  # the line has no other way to end a name
    rgb = ",".join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(f'track type=bedGraph name="{name}" visibility=full color={rgb}\n')
        shown = table[table["value"] != 0]
        shown.to_csv(handle, sep="\t", header=False, index=False, float_format="%.6g", lineterminator="\n")


def write_bigwig(path: Path, table: pd.DataFrame, *, sizes: Mapping[str, int]) -> None:
    """Write chrom, start, end, value as a bigWig; values of 0 are left out."""
    module = import_optional("pyBigWig", extra="tracks")
    shown = table[table["value"] != 0]
    with module.open(str(path), "w") as handle:
        handle.addHeader(list(sizes.items()))
        for chrom, part in shown.groupby("chrom", sort=False):
            handle.addEntries(
                [str(chrom)] * len(part),
                part["start"].to_numpy(np.int64).tolist(),
                ends=part["end"].to_numpy(np.int64).tolist(),
                values=part["value"].to_numpy(np.float64).tolist(),
            )


def write_hub(folder: Path, tracks: Sequence[Track], *, genome: str, label: str, email: str) -> None:
    """Write a UCSC track hub of bigWigs: hub.txt, genomes.txt and the genome's trackDb.txt."""
    short = _line(label)[:17]
    (folder / "hub.txt").write_text(
        f"hub sccase_kit\nshortLabel {short}\nlongLabel {_line(label)[:80]}\ngenomesFile genomes.txt\n"
        f"email {_line(email)}\n",
        encoding="utf-8",
    )
    (folder / "genomes.txt").write_text(f"genome {genome}\ntrackDb {genome}/trackDb.txt\n", encoding="utf-8")
    (folder / genome).mkdir()
    stanzas = []
    for section in dict.fromkeys(track.section for track in tracks):
        parent = f"sccase_{section}"
        stanzas.append(
            f"track {parent}\nsuperTrack on show\nshortLabel {section}\nlongLabel {_line(label)[:60]}: {section}\n"
        )
        for track in (one for one in tracks if one.section == section):
            rgb = ",".join(str(int(track.color[i : i + 2], 16)) for i in (1, 3, 5))
            stanzas.append(
                f"track {track.file}\nparent {parent}\ntype bigWig\nbigDataUrl ../{track.file}.bw\n"
                f"shortLabel {_line(track.name)[:17]}\nlongLabel {_line(track.what)[:80]}\nvisibility full\n"
                f"color {rgb}\nviewLimits 0:{track.top:.6g}\nautoScale off\nmaxHeightPixels 100:40:8\n"
            )
    (folder / genome / "trackDb.txt").write_text("\n".join(stanzas), encoding="utf-8")


def write_igv(folder: Path, tracks: Sequence[Track], *, genome: str, ending: str, locus: str) -> None:
    """Write a session for IGV desktop (igv_session.xml) and for igv.js (igv_session.json)."""
    session = ElementTree.Element("Session", genome=genome, locus=locus, version="8")
    resources = ElementTree.SubElement(session, "Resources")
    for track in tracks:
        ElementTree.SubElement(resources, "Resource", path=f"{track.file}{ending}")
    panel = ElementTree.SubElement(session, "Panel", name="DataPanel")
    for track in tracks:
        rgb = ",".join(str(int(track.color[i : i + 2], 16)) for i in (1, 3, 5))
        shown = ElementTree.SubElement(
            panel, "Track", id=f"{track.file}{ending}", name=track.name, color=rgb, renderer="BAR_CHART", height="40"
        )
        ElementTree.SubElement(shown, "DataRange", minimum="0", baseline="0", maximum=f"{track.top:.6g}", type="LINEAR")
    ElementTree.indent(session)
    ElementTree.ElementTree(session).write(folder / "igv_session.xml", encoding="utf-8", xml_declaration=True)
    web: dict[str, Any] = {"genome": genome, "locus": locus, "tracks": []}
    for track in tracks:
        web["tracks"].append(
            {
                "name": track.name,
                "url": f"{track.file}{ending}",
                "type": "wig",
                "format": "bigwig" if ending == ".bw" else "bedgraph",
                "color": track.color,
                "min": 0,
                "max": float(f"{track.top:.6g}"),
            }
        )
    (folder / "igv_session.json").write_text(json.dumps(web, indent=1) + "\n", encoding="utf-8")


def _line(text: str) -> str:
    return " ".join(text.split())

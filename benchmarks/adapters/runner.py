"""Find adapters and their environments, run one, install one. See README.md."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import io, sparse

FOLDER = Path(__file__).resolve().parent


class AdapterUnavailableError(RuntimeError):
    """The adapter has no environment to run in."""


@dataclass(frozen=True)
class Adapter:
    """A script, what it needs, and the interpreter that runs it (None: not installed).

    `source` are packages whose source distribution is unpacked beside the environment and not built. `exchange` is
    "h5ad", "npz" or "mtx".
    """

    name: str
    script: Path
    packages: str
    needs: str
    interpreter: Path | None
    source: str = ""
    exchange: str = "h5ad"

    @property
    def variable(self) -> str:
        return f"SCCASE_KIT_PEER_{self.name.upper()}"

    def why_not(self) -> str:
        """Say how to make the adapter run."""
        if self.script.suffix == ".R":
            return f"no R environment: set {self.variable}=/path/to/Rscript with {self.packages}"
        return f"no environment: run 'python benchmarks/adapters/runner.py install {self.name}' or set {self.variable}"

    def run(
        self,
        adata: ad.AnnData,
        *,
        n_components: int,
        seed: int,
        timeout: float | None = None,
        prefix: Sequence[str] = (),
    ) -> ad.AnnData:
        """Return the enhanced AnnData, with the labels of `adata`; `prefix` is put before the command, to watch it.

        ``obsm["embedding"]`` is what the program embeds the cells in, where it does.

        Raises
        ------
        AdapterUnavailableError
            If there is no environment.
        RuntimeError
            If the program failed or ran past `timeout` seconds, with the last line it printed.
        """
        if self.interpreter is None:
            raise AdapterUnavailableError(self.why_not())
        with tempfile.TemporaryDirectory() as folder:
            source, target = (Path(folder) / f"{name}.{self.exchange}" for name in ("input", "output"))
            write_input(adata, source)
            isolated = ["-I"] if self.script.suffix == ".py" else []  # scripts are named like the packages they run
            command = [*prefix, str(self.interpreter), *isolated, str(self.script), str(source), str(target)]
            command += ["--n-components", str(n_components), "--seed", str(seed)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
            except subprocess.TimeoutExpired as err:
                raise RuntimeError(f"{self.name} ran past {timeout:.0f} s") from err
            if done.returncode != 0 or not target.exists():
                lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
                raise RuntimeError(f"{self.name} failed (exit status {done.returncode}): {lines[-1].strip()}")
            result = read_output(target, adata)
        if not result.obs_names.equals(adata.obs_names):
            raise RuntimeError(f"{self.name} returned {result.n_obs} cells, other than the {adata.n_obs} given")
        result.obs = adata.obs
        return result


def write_input(adata: ad.AnnData, path: Path) -> None:
    """Write counts for an adapter.

    An .h5ad; the arrays of a CSR matrix as .npz, which every numpy reads; or peaks × cells as .mtx.
    """
    if path.suffix == ".mtx":
        io.mmwrite(path, sparse.coo_matrix(adata.X.T))
        return
    if path.suffix == ".npz":
        counts = sparse.csr_matrix(adata.X)
        np.savez(path, data=counts.data, indices=counts.indices, indptr=counts.indptr, shape=np.array(counts.shape))
        return
    ad.AnnData(adata.X, obs=adata.obs, var=adata.var).write_h5ad(path)


def read_output(path: Path, adata: ad.AnnData) -> ad.AnnData:
    """Read what an adapter wrote; an .npz, and a folder of texts, has the cells and peaks of `adata` in their order."""
    if path.suffix == ".h5ad":
        return ad.read_h5ad(path)
    if path.is_dir():
        arrays = {name: np.loadtxt(path / f"{name}.txt", ndmin=2) for name in ("cells", "peaks")}
    else:
        with np.load(path) as found:
            arrays = {name: found[name] for name in found.files}
    obs, var = pd.DataFrame(index=adata.obs_names), pd.DataFrame(index=adata.var_names)
    if "X" in arrays:
        result = ad.AnnData(arrays["X"], obs=obs, var=var)
        if "embedding" in arrays:
            result.obsm["embedding"] = arrays["embedding"]
        return result
    result = ad.AnnData(obs=obs, var=var)
    result.obsm["sccase_cell_factors"], result.varm["sccase_peak_factors"] = arrays["cells"], arrays["peaks"]
    return result


def _header(script: Path, field: str) -> str:
    lines = script.read_text().splitlines()[:15]
    return " ".join(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"# {field}:"))


def _interpreter(name: str, script: Path) -> Path | None:
    named = os.environ.get(f"SCCASE_KIT_PEER_{name.upper()}")
    if named:
        found = shutil.which(named)
        return Path(found) if found else None
    own = FOLDER / f".venv-{name}" / "bin" / "python"
    return own if script.suffix == ".py" and own.exists() else None


def adapters() -> dict[str, Adapter]:
    """Return all adapters by name."""
    found = {}
    for script in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*.R")]):
        if script.name == "runner.py":
            continue
        name = script.stem
        found[name] = Adapter(
            name,
            script,
            _header(script, "packages"),
            _header(script, "needs"),
            _interpreter(name, script),
            _header(script, "source"),
            _header(script, "exchange") or "h5ad",
        )
    return found


def install(name: str) -> None:
    """Create the environment of a Python adapter and install its packages."""
    known = adapters()
    if name not in known:
        raise SystemExit(f"no adapter {name!r}; there are {sorted(known)}")
    adapter = known[name]
    if adapter.script.suffix != ".py":
        raise SystemExit(adapter.why_not())
    folder = FOLDER / f".venv-{name}"
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip"]
    subprocess.run([*pip, "install", "--prefer-binary", *shlex.split(adapter.packages)], check=True)
    for package in shlex.split(adapter.source):
        with tempfile.TemporaryDirectory() as parts:
            subprocess.run([*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", parts, package], check=True)
            for part in Path(parts).glob("*.tar.gz"):
                with tarfile.open(part) as archive:
                    archive.extractall(folder / "source", filter="data")


def main() -> None:
    """List or install adapters, or run one on a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    commands.add_parser("install").add_argument("name")
    run = commands.add_parser("run")
    for argument in ("name", "input", "output"):
        run.add_argument(argument)
    run.add_argument("--n-components", type=int, default=10)
    run.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.command == "list":
        for adapter in adapters().values():
            state = "ready" if adapter.interpreter else "not installed"
            packages = f"{adapter.packages} {adapter.source}".strip()
            print(f"{adapter.name:18} {state:14} {packages}  ({adapter.needs})")
    elif args.command == "install":
        install(args.name)
    else:
        started = time.perf_counter()
        result = adapters()[args.name].run(ad.read_h5ad(args.input), n_components=args.n_components, seed=args.seed)
        result.write_h5ad(args.output)
        print(f"{args.name}: {result.shape} in {time.perf_counter() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Rows of counts on a PyTorch device, for the products with them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse

from .._optional import import_optional
from .row_block import as_float

NNZ_PER_BLOCK = 200_000_000  # of data in memory; 32-bit indices, and a sort of them on the device


def check_device(device: Any) -> str:
    """Return the name of a device that PyTorch can work on here.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If the device is unknown or absent.
    """
    torch = import_optional("torch", extra="gpu")
    try:
        place = torch.device(device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # PyTorch announces once that CSR tensors are beta
            _csr(np.array([0, 1]), np.array([0]), np.ones(1, dtype=np.float32), (1, 1), place).to_sparse_csc()
        torch.zeros(1, device=place).cpu()
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as err:
        here = "'cpu', 'cuda'" if torch.cuda.is_available() else "'cpu'"
        why = str(err).partition("\n")[0]
        msg = f"PyTorch {torch.__version__} cannot work on device={device!r} ({why}); available: {here}"
        raise ValueError(msg) from err
    return str(place)


class TorchBlock:
    """Rows of counts held on a device, by rows and by columns, and multiplied there.

    Parameters
    ----------
    counts
        CSR rows.
    dtype
        Type of the products.
    binary
        Use 1 for every nonzero count.
    device
        Name of the device.
    """

    def __init__(self, counts: sparse.csr_matrix, *, dtype: np.dtype, binary: bool, device: str) -> None:
        self.shape = counts.shape
        values = as_float(counts, dtype, binary=binary)
        self._rows = _csr(values.indptr, values.indices, values.data, values.shape, device)
        by_column = self._rows.to_sparse_csc()
        parts = by_column.ccol_indices(), by_column.row_indices(), by_column.values()
        self._columns = _csr(*parts, (counts.shape[1], counts.shape[0]), device)
        self._place = device

    def pack(self, dense: np.ndarray, dtype: np.dtype) -> Any:
        """Return a dense array as a tensor on the device."""
        return _tensor(np.ascontiguousarray(dense, dtype=dtype), self._place)

    @staticmethod
    def unpack(packed: Any, n_columns: int) -> np.ndarray:
        """Return the columns of a tensor as an array."""
        return packed[:, :n_columns].cpu().numpy()

    def zeros(self, n_rows: int, n_columns: int, dtype: np.dtype) -> Any:
        """Return zeros on the device."""
        return self.pack(np.zeros((n_rows, n_columns)), dtype)

    def times(self, packed: Any) -> Any:
        """Return C @ dense, on the device."""
        return self._rows @ packed

    def add_transposed(self, left: Any, total: Any) -> None:
        """Add Cᵀ @ left to `total`; both on the device."""
        total.add_(self._columns @ left)


def _tensor(values: Any, device: Any) -> Any:
    torch = import_optional("torch", extra="gpu")
    if isinstance(values, np.ndarray):
        values = torch.from_numpy(values if values.flags.writeable else values.copy())
    return values.to(device)


def _csr(pointers: Any, indices: Any, values: Any, shape: tuple[int, int], device: Any) -> Any:
    torch = import_optional("torch", extra="gpu")
    parts = (_tensor(part, device) for part in (pointers, indices, values))
    return torch.sparse_csr_tensor(*parts, size=shape, check_invariants=False)

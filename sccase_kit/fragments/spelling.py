"""Chromosomes found under whatever name a file has for them."""

from __future__ import annotations

from collections.abc import Mapping

from ..intervals.chromosomes import chromosome_key


class ByAnyName(dict[str, int]):
    """Chromosome → number, which :meth:`get` also finds by other spellings: 1, chr1, NC_000001.11, MT for chrM.

    Parameters
    ----------
    chroms
        Chromosome → number.
    """

    def __init__(self, chroms: Mapping[str, int]) -> None:
        super().__init__(chroms)
        self._by_key: dict[str, int] = {}
        for name, value in chroms.items():
            self._by_key.setdefault(chromosome_key(name), value)
        self._seen: dict[str, int | None] = {}

    def get(self, key: str, default: int = -1) -> int:  # type: ignore[override]
        """Return the number of a chromosome, `default` if none has this name in any spelling."""
        if key in self:
            return self[key]
        if key not in self._seen:
            self._seen[key] = self._by_key.get(chromosome_key(key))
        found = self._seen[key]
        return default if found is None else found

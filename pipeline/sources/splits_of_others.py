"""Splits that a corpus brings along: known names become ours, unknown ones need a word of the user."""

from collections import Counter
from collections.abc import Mapping

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.schemas.splits import HASHED, SPLITS, canonical_split


class SplitNames:
    """Names of splits as a source finds them. ``mapping``: the user's, from a name to one of ours or to ``hash``."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = {name.strip().casefold(): split for name, split in mapping.items()}
        self._taken: Counter[tuple[str, str]] = Counter()

    def ours(self, name: str, where: str) -> str | None:
        """Our name for a split, None where the hash decides. Raises FgmcapsError for an unknown name."""
        split = self._mapping.get(name.strip().casefold()) or canonical_split(name)
        if split is None:
            known = f"{', '.join(SPLITS)}{did_you_mean(name, SPLITS)}"
            raise FgmcapsError(
                f"{where}: the split {name!r} is not one of {known}; say what it is by "
                f"--split-map {name}=test, or --split-map {name}={HASHED} to have its tracks split like all others"
            )
        self._taken[name, split] += 1
        return None if split == HASHED else split

    def notes(self) -> list[str]:
        """What was taken for what, where the names differ."""
        told = [f"{name} as {split} ({n})" for (name, split), n in sorted(self._taken.items()) if name != split]
        return [f"splits of the corpus: {', '.join(told)}"] if told else []

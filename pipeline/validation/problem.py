"""One thing that is wrong with a dataset, and a bounded collection of them."""

from collections import Counter
from dataclasses import dataclass, field

MAX_PER_RULE = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """``file`` is relative to the dataset, ``row`` the clip id (None: the whole file), ``rule`` a stable slug."""

    file: str
    row: str | None
    rule: str
    message: str

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}: row {self.row}"
        return f"{where}: [{self.rule}] {self.message}"


@dataclass(slots=True)
class Problems:
    """Collects problems; of each rule the first ``MAX_PER_RULE`` are kept and the others counted, so that a dataset
    in which every row is wrong costs no memory."""

    kept: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, file: str, row: str | None, rule: str, message: str) -> None:
        self.counts[rule] += 1
        if self.counts[rule] <= MAX_PER_RULE:
            self.kept.append(Problem(file, row, rule, message))

    def done(self) -> list[Problem]:
        """All kept problems, and one more for every rule of which some were not kept."""
        more = [
            Problem(".", None, rule, f"{count - MAX_PER_RULE} more problems of this rule are not listed")
            for rule, count in sorted(self.counts.items())
            if count > MAX_PER_RULE
        ]
        return self.kept + more

"""Disjoint sets of whole numbers."""


class UnionFind:
    """The numbers ``0 .. size - 1`` in sets that grow together; a set is known by its least member."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, number: int) -> int:
        """The least member of the set of ``number``."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, a: int, b: int) -> None:
        """Make the sets of ``a`` and ``b`` one."""
        first, second = sorted((self.find(a), self.find(b)))
        self._parents[second] = first

    def groups(self) -> list[list[int]]:
        """All sets, each in ascending order, by their least members."""
        found: dict[int, list[int]] = {}
        for number in range(len(self._parents)):
            found.setdefault(self.find(number), []).append(number)
        return list(found.values())

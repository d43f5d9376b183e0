"""Sets that grow together, against a search of the graph."""

from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.union_find import UnionFind


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_the_sets_are_the_components_of_the_graph(graph):
    size, edges = graph
    sets = UnionFind(size)
    neighbours = {n: {n} for n in range(size)}
    for a, b in edges:
        sets.join(a, b)
        neighbours[a].add(b)
        neighbours[b].add(a)
    left, expected = set(range(size)), []
    while left:
        component, border = set(), {min(left)}
        while border:
            component |= border
            border = set().union(*(neighbours[n] for n in border)) - component
        expected.append(sorted(component))
        left -= component
    assert sets.groups() == expected
    assert all(sets.find(n) == group[0] for group in expected for n in group)

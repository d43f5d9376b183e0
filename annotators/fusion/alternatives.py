"""What a value may be instead: the likeliest others, in the order of their probabilities."""

from collections.abc import Sequence

from fgmcaps.schemas import NamedAlternative


def named_others(
    names: Sequence[str], shares: Sequence[float], best: int, most: int, least: float
) -> tuple[NamedAlternative, ...]:
    """At most ``most`` of ``names`` but that at ``best``, with a share of ``least`` or more; shares to four places."""
    others = [
        (round(float(share), 4), name) for i, (name, share) in enumerate(zip(names, shares, strict=True)) if i != best
    ]
    return tuple(NamedAlternative(name, share) for share, name in sorted(others, reverse=True)[:most] if share >= least)

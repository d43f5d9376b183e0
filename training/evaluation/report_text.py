"""The report of an evaluation as Markdown."""

from collections.abc import Iterator, Sequence

from fgmcaps.training.evaluation.bootstrap import Interval
from fgmcaps.training.evaluation.report_build import DirectionReport, EvaluationReport

NAMES = {"t2a": "T2A", "a2t": "A2T"}
SIGNIFICANT = 0.05


def markdown(report: EvaluationReport) -> str:
    """The whole page; the pool stands above every table."""
    return "\n".join(_parts(report)) + "\n"


def pool_line(report: EvaluationReport) -> str:
    """``1,000 clips of 240 tracks, 1,000 captions (3.2 % with an equal one)``."""
    pool = report.pool
    same = pool["pool/same_caption"]
    return (
        f"{pool['pool/clips']:,.0f} clips of {pool['pool/tracks']:,.0f} tracks, {pool['pool/captions']:,.0f} captions"
        + (f" ({same:.1%} have an equal one)" if same else "")
    )


def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage without the sign."""
    return f"{100 * value:.{digits}f}"


def with_interval(found: Interval) -> str:
    """``34.5 [31.0, 38.2]`` in percent."""
    if found.low == float("-inf"):
        return percent(found.mean)
    return f"{percent(found.mean)} [{percent(found.low)}, {percent(found.high)}]"


def _parts(report: EvaluationReport) -> Iterator[str]:
    yield f"# {report.model} on {report.data}, {report.split}\n"
    yield f"Pool: {pool_line(report)}. Percent, with 95 % bootstrap intervals over tracks; ties count as chance.\n"
    yield "## Retrieval\n"
    yield from _table(
        ("view", "", "R@1", "R@5", "R@10", "R@20", "median rank", "MRR"),
        [_figures(d) for d in report.directions] + [_chance(d) for d in report.directions[:2]],
    )
    if report.pool["pool/same_caption"]:
        yield "Clips whose caption is the same text counted as right, too:\n"
        yield from _table(
            ("view", "", "R@1", "R@5", "R@10", "R@20"),
            [
                (d.view, NAMES[d.direction], *(percent(d.same_caption[f"R@{k}"]) for k in (1, 5, 10, 20)))
                for d in report.directions
            ],
        )
    yield "## Hubness\n"
    yield (
        "N_10: queries that have a candidate among their first 10. Skewness 0 is even use; *distinct* are candidates "
        "that some query has first; *never* are in no query's first 10.\n"
    )
    yield from _table(
        ("view", "", "skewness of N_10", "distinct first", "never", "largest hub"),
        [
            (
                d.view, NAMES[d.direction], f"{d.hubness['N_10_skewness']:.2f}",
                f"{d.hubness['distinct_top1']:.0f} of {min(d.queries, d.candidates)}",
                percent(d.hubness["never_retrieved"]), percent(d.hubness["largest_hub"]),
            )
            for d in report.directions
        ],
    )  # fmt: skip
    if report.comparisons:
        yield f"## Against {report.against}\n"
        yield "Difference on the same queries; p by a sign-flip permutation test over tracks.\n"
        yield from _table(
            ("view", "", "figure", "this", "other", "difference", "p"),
            [
                (
                    c.view, NAMES[c.direction], c.figure, percent(c.mine), percent(c.other),
                    with_interval(Interval(c.paired.difference, c.paired.low, c.paired.high)),
                    f"{c.paired.p:.3f}" + (" *" if c.paired.p < SIGNIFICANT else ""),
                )
                for c in report.comparisons
            ],
        )  # fmt: skip
    if report.perturbation:
        yield from _perturbation(report)
    if report.truncation:
        yield from _truncation(report)


def _figures(d: DirectionReport) -> tuple[str, ...]:
    cells = (with_interval(d.figures[f"R@{k}"]) for k in (1, 5, 10, 20))
    return (d.view, NAMES[d.direction], *cells, f"{d.median_rank:g}", with_interval(d.figures["MRR"]))


def _chance(d: DirectionReport) -> tuple[str, ...]:
    cells = (percent(d.chance[f"R@{k}"], 2) for k in (1, 5, 10, 20))
    return ("chance", NAMES[d.direction], *cells, f"{(d.candidates + 1) / 2:g}", percent(d.chance["MRR"], 2))


def _perturbation(report: EvaluationReport) -> Iterator[str]:
    yield "## One attribute of the caption changed\n"
    yield (
        "A2T, over the clips whose caption states the attribute in a form that can be replaced. *Wins*: share of clips "
        "that score their own caption higher than the changed one (50 is chance); p: R@1 falls (sign-flip test).\n"
    )
    rows = []
    for row in report.perturbation:
        recalls = (f"{percent(row.original[k])} -> {percent(row.perturbed[k])}" for k in ("R@1", "R@5", "R@10"))
        wins, p = with_interval(row.wins), f"{row.fall['R@1'].p:.3f}"
        rows.append((row.view, row.attribute, f"{row.clips} of {row.of}", *recalls, wins, p))
    yield from _table(("view", "attribute", "clips", "R@1", "R@5", "R@10", "wins", "p"), rows)


def _truncation(report: EvaluationReport) -> Iterator[str]:
    yield "## Captions cut to their first k tokens\n"
    views = list(dict.fromkeys(d.view for d in report.directions))
    yield "T2A R@10; *long*: the queries with the longest quarter of the captions.\n"
    yield from _table(
        ("k", "longer", *views, *(f"{v}, long" for v in views)),
        [
            (
                str(p.k), percent(p.longer), *(percent(p.recall[f"{v}/t2a/R@10"]) for v in views),
                *(percent(p.long_recall[f"{v}/t2a/R@10"]) for v in views),
            )
            for p in report.truncation
        ],
    )  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""

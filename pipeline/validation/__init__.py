"""The rules of ``fgmcaps validate``: one module a level (dataset, shard, row), each rule with a name of its own."""

from fgmcaps.pipeline.validation.problem import Problem, Problems

__all__ = ["Problem", "Problems"]

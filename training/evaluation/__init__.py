"""How good a model is: metrics with intervals, tests of single facts, reports."""

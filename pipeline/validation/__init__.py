"""The rules of ``fgmcaps validate``: one module a level (dataset, row, audio), each rule with a name of its own."""

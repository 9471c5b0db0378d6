"""The tables of the papers, built again: one file a table, by the name that `tintype table` knows it by."""

from tintype.tables import zhang16

TABLES = {"zhang16-1": zhang16.table_1}
"""Each takes the photographs and a `Given`, and returns what `tintype table --json` prints."""

TITLES = {"zhang16-1": "Zhang et al. 2016, Table 1: colour error, meaning and people fooled, on ImageNet"}

__all__ = ["TABLES", "TITLES"]

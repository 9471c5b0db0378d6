"""The tables of the papers, built again: one file a table, by the name that `tintype table` knows it by."""

from tintype.tables import zhang16

TABLES = {"zhang16-1": zhang16.table_1}
"""Each takes the photographs and a `Given`, and returns what `tintype table --json` prints."""

__all__ = ["TABLES"]

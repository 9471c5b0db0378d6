"""`python -m tintype`, the same as `tintype`."""

from tintype.cli import main

main()

"""One evaluation as a page for people: `report(result, pictures)` gives its HTML."""

from tintype.evaluate.report.page import report

__all__ = ["report"]

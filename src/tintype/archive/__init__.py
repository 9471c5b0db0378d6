"""Archives: a report of every photograph, places at URLs, and more machines than one."""

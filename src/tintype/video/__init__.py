"""Colorizing films: sound and timing kept, colour steady over time. Needs PyAV; no torch."""

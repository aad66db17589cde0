"""Benchmarks: longer measurements whose results are kept and shown in README and lessons."""

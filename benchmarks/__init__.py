"""Measurements, each `python -m benchmarks.NAME [--json FILE]`; docs/benchmarks.md holds the latest tables."""

"""Measurements: ``make bench``. Each figure has its floor measured beside it in the same run."""

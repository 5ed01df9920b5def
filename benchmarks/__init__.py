"""Measurements: ``make bench``. Each figure is measured with its baseline in the same run."""

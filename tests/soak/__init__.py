"""Soak test: real processes under random changes, faults and kills; no data may be lost."""

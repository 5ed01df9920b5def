"""One migration: the tables of the baselines."""

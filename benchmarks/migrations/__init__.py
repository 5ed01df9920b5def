"""One migration: the tables of the floors."""

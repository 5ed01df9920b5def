"""What blocks show: which rows, in which order, as which objects."""

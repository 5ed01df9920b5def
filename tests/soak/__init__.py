"""The soak: everything runs as processes, everything changes, everything fails; nothing is lost."""

"""A project whose stylesheet resets everything, as Tailwind's preflight does, in a bare frame."""

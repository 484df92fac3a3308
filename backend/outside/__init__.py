"""Everything that is not ours, swapped as one piece."""

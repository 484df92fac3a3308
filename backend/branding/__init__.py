"""Whose gate this is: the names, numbers, colours and words of one province, in one file."""

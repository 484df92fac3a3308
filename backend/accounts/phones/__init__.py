"""The numbers that get codes: how one is written, bound, proved and changed."""

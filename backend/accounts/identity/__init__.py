"""Whose account it is: what a way in has proved, whom that leads to, and what becomes of two accounts of one person."""

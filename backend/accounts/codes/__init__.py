"""The code by SMS: made, sent, guessed; and what slows down those who ask for too many."""

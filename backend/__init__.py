"""Rules and storage of Ngọ Môn; knows no web framework."""

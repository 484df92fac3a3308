"""What is owed to a person and leaves after the act: text messages and pushes, one queue for all (decision 0036)."""

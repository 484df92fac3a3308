"""What leaves for people: text messages, notices to phones, mail."""

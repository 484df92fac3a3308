"""What starts, and with what: the composition root, the command, the demo."""

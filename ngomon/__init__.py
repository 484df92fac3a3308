"""What starts, and with what: the composition root and the command."""

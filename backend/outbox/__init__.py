"""How every decision reaches the downstream systems: outbox, worker, what each system holds."""

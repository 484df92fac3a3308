"""What a person holds in their hand: devices, sessions, proof of possession."""

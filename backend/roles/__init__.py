"""What a person may be: units, staff directory, catalogue, requests, review, desired state."""

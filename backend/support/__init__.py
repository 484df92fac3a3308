"""The desk that helps: its codes, its cases, and what people are told; it can ask nobody for a secret."""

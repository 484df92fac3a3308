"""HTML for managers: what waits for a decision, the people of a unit, the systems downstream, the journal."""

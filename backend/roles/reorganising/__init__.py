"""Units merged, split, renamed, moved and ended in one operation, with everybody in them (rule 640)."""

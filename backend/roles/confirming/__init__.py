"""A unit's roles are confirmed by its manager until a day; what nobody confirms ends after two notices (rule 642)."""

"""What others built for the same job, as small as their own documentation shows it."""

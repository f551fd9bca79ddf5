"""Names of other libraries, over this one, so that a program can move by its import lines first."""

"""What a person may be, as data that a province changes by itself: a TOML file, shipped, imported, kept by versions."""

"""Properties that hold for all generated documents."""

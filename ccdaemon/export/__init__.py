"""Documents for people and programs: pure builders, and the writer that puts them on disk."""

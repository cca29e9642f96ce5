"""REPORT on collections and items."""

"""The engine: pulls the providers' pages into originals and settles originals into items."""

"""``python -m ccdaemon``."""

from ccdaemon.cli import main

if __name__ == "__main__":
    main()

"""`python -m infra …`: the door without a script (used for processes of our own)."""

from infra.cli import main

if __name__ == "__main__":
    main()

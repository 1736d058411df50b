#!/usr/bin/env python3
"""The one door: makes the project's environment when it is missing or old, then runs the command inside it.

This file must be readable by any Python 3, so that an old one gets a sentence and not a traceback.
"""

import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))


def main():
    """Inside the environment: run the command. Outside: complete the environment first, then start again inside."""
    if os.path.realpath(sys.prefix) != os.path.realpath(os.path.join(ROOT, ".venv")):
        if sys.version_info < (3, 11):
            sys.exit("Headrace needs Python 3.11, 3.12 or 3.13; this is %s. Run: python3.11 manage.py ..." % sys.version.split()[0])
        sys.path.insert(0, ROOT)
        from infra import bootstrap

        bootstrap.enter(sys.argv[1:])  # does not return
    sys.path.insert(0, ROOT)
    from infra.cli import main as door

    door()


if __name__ == "__main__":
    main()

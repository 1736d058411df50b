"""The sandbox: Python that a user wrote runs here, in a process that can reach nothing but what it was given.

`machine` tells what this machine can give, `run` runs a step of user-written code, `inspect` derives a component's spec from source text.
Inside: `enter` (ours, sets the limits), then `inside` (meets the user's code). Threats and limits: infra/decisions/0012.
"""

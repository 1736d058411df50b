"""Which of Label Studio's releases we speak like."""

RELEASE = "1.23.0"
"""Scripts compare it; label-studio-sdk 2.1 belongs to it."""


def version_out() -> dict[str, object]:
    return {
        "release": RELEASE,
        "edition": "Community",
        "label-studio-os-package": {"version": RELEASE, "short_version": RELEASE.rpartition(".")[0]},
        "label-studio-os-backend": {},
        "label-studio-frontend": {},
        "label-studio-converter": {},
        "dm2": {},
        "lsf": {},
        "backend": {"product": "headrace"},
    }

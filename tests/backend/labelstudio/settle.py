"""The tables, people and tokens of a studio: `python -m tests.backend.labelstudio.settle` with its environment prints {name: token}."""

from __future__ import annotations

import json
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from backend.core.actions import tokens
    from backend.core.models import Membership, Project, User

    lab, other = (Project.objects.create(slug=slug, name=slug.title()) for slug in ("lab", "other"))
    found = {}
    roles = {"olga": "owner", "ann": "annotator", "bob": "annotator", "cem": "annotator", "vera": "viewer"}
    for name, role in roles.items():
        person = User.objects.create_user(f"{name}@lab.example", name=name.title())
        Membership.objects.create(project=lab, user=person, role=role)
        found[name] = tokens.create(person, "sdk", project="lab")[1]
    stranger = User.objects.create_user("sam@other.example", name="Sam")
    Membership.objects.create(project=other, user=stranger, role="owner")
    for name in ("ann", "cem"):  # known on both sides
        Membership.objects.create(project=other, user=User.objects.get(email=f"{name}@lab.example"), role="annotator")
    found["sam"] = tokens.create(stranger, "sdk")[1]
    print(json.dumps(found))


if __name__ == "__main__":
    main()

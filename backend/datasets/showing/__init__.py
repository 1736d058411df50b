"""What is shown of a version's rows and items. Called in hands (`artifacts.aside`): no models, no database, no requests here."""

"""Everything that trains, measures and publishes models. Heavy libraries live from here on."""

"""Branches, joins, people, and the ports of a pipeline that is a step of another."""

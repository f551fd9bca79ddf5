"""The subcommand `doctor`: what an app client allows, and which of Cognito's settings to change.

Rule of this package: `report` gathers findings and prints them. They come from `probes`, which needs no AWS
credentials, or from `settings`, which reads the pool's settings with AWS credentials and is exact.
"""

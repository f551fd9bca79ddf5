"""The ways into a LocalCognito: botocore in this process, and HTTP."""

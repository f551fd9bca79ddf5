"""Whole sign-ins: the real client against LocalCognito, each written once and run in every combination."""

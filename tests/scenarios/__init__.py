"""Whole sign-ins: the real client against LocalCognito, each written once and run sync and async, public and admin, with and without a secret."""

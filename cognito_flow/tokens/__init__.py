"""Fresh tokens from a `TokenSource`, and tokens checked by a `TokenVerifier`.

Rule of this package: importing it imports nothing else, so that an API that only verifies tokens loads
neither boto3 nor the sign-in.
"""

"""A program for pycognito: sign in with a second factor, read an attribute, refresh."""

import sys

from pycognito import Cognito
from pycognito.exceptions import SoftwareTokenMFAChallengeException

pool_id, client_id, username, password = sys.argv[1:]
user = Cognito(pool_id, client_id, username=username)
try:
    user.authenticate(password=password)
except SoftwareTokenMFAChallengeException:
    user.respond_to_software_token_mfa_challenge(sys.stdin.readline().strip())
print(user.token_type)
print(user.get_user().email)
user.renew_access_token()
print(user.access_claims["username"])

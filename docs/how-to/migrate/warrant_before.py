"""A program for warrant: sign in, read an attribute, refresh."""

import sys

from warrant import Cognito

pool_id, client_id, username, password = sys.argv[1:]
user = Cognito(pool_id, client_id, username=username)
user.authenticate(password=password)
print(user.token_type)
print(user.get_user().email)
user.renew_access_token()
print(user.check_token())

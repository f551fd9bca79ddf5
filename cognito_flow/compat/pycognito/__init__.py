"""The names of pycognito 2024.5: `Cognito`, `AWSSRP`, their exceptions, and `RequestsSrpAuth`.

Rule of this package: what signs in, refreshes and verifies is `AuthFlow` and `TokenVerifier`; every other
method is one call of the boto3 client, as in pycognito. Errors are botocore's, because programs catch those.

Source of names, arguments and attributes: pycognito 2024.5.1 from PyPI. docs/how-to/migrate/from-pycognito.md
lists what differs.
"""

from cognito_flow.compat.pycognito.aws_srp import AWSSRP
from cognito_flow.compat.pycognito.cognito import Cognito
from cognito_flow.compat.pycognito.exceptions import MFAChallengeException, TokenVerificationException
from cognito_flow.compat.pycognito.records import GroupObj, UserObj, cognito_to_dict, dict_to_cognito

__all__ = [
    "AWSSRP",
    "Cognito",
    "GroupObj",
    "MFAChallengeException",
    "TokenVerificationException",
    "UserObj",
    "cognito_to_dict",
    "dict_to_cognito",
]

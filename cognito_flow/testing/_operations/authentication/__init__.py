"""InitiateAuth and RespondToAuthChallenge: dispatch, then one file for each kind of challenge."""

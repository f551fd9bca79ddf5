"""Operations that an access token authorizes: users managing their own account."""

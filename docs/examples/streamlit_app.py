"""A Streamlit app that asks its users to sign in.

The challenge and the tokens stay in Streamlit's session state, on the server. It lives as long as the page: after a reload, the
user signs in again.
"""

import logging
from collections.abc import Callable

import streamlit as st

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AuthFlow,
    CodeChallenge,
    CognitoFlowError,
    NotAuthorized,
    PasswordResetRequired,
    SignedIn,
    SignedOut,
    StartOver,
    Step,
    TokenSource,
    TryLater,
    UserNotConfirmed,
    UserSrpAuth,
)

# The message for each class of error; the nearest class wins. Every NotAuthorized has the same message, so that a wrong password
# and an unknown name look the same.
REFUSALS: dict[type[CognitoFlowError], str] = {
    NotAuthorized: "Wrong name or password.",
    AnswerRejected: "That is not right: please try again.",
    UserNotConfirmed: "Please confirm your address first.",
    PasswordResetRequired: "Please set a new password first.",
    StartOver: "Please start again.",
    TryLater: "Please try again in a minute.",
    CognitoFlowError: "Something went wrong. We have been notified.",
}


@st.cache_resource  # one flow for all users
def flow() -> AuthFlow:
    return AuthFlow(AppClient.from_env())


def message_for(error: CognitoFlowError) -> str:
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    return REFUSALS[kind]


def run(act: Callable[[], Step]) -> None:
    """Go one step further, or show why not."""
    try:
        step = act()
    except CognitoFlowError as error:
        if isinstance(error, StartOver):
            st.session_state.clear()
        st.error(message_for(error))
        return
    st.session_state.clear()
    match step:
        case SignedIn():
            st.session_state.source = flow().token_source(step.tokens)
        case CodeChallenge():
            st.session_state.challenge = step
        case _:  # write a form for each challenge of your pool
            st.error(f"There is no form yet that asks {step.name}.")
            return
    st.rerun()


def ask_password() -> None:
    with st.form("password"):
        username = st.text_input("Name")
        password = st.text_input("Password", type="password")
        if st.form_submit_button("Sign in"):
            run(lambda: flow().start(UserSrpAuth(username, password)))


def ask_code(challenge: CodeChallenge) -> None:
    with st.form("code", clear_on_submit=True):
        code = st.text_input(f"The code sent to {challenge.sent_to}" if challenge.sent_to else "Your code")
        if st.form_submit_button("Continue"):
            run(lambda: flow().send(challenge.answer(code)))


def show_app(source: TokenSource) -> None:
    try:
        tokens = source.tokens()  # refreshes them if they are about to expire
    except SignedOut:  # an administrator ended the session, or it was not used for too long
        st.session_state.clear()
        st.error("Please sign in again.")
        return
    st.write(f"Welcome, {tokens.username}.")
    if st.button("Sign out"):
        sign_out(source)


def sign_out(source: TokenSource) -> None:
    try:
        source.sign_out()
    except SignedOut:
        logging.getLogger(__name__).info("Cognito had ended the session already")
    except CognitoFlowError as error:  # the user stays signed in and can try again
        st.error(message_for(error))
        return
    st.session_state.clear()
    st.rerun()


if "source" in st.session_state:
    show_app(st.session_state.source)
elif "challenge" in st.session_state:
    ask_code(st.session_state.challenge)
else:
    ask_password()

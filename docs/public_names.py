"""A Sphinx extension: public names in pages become links, and private names leave the reference."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_type_hints
from zlib import crc32

from docutils import nodes
from sphinx.addnodes import desc_content, pending_xref

import cognito_flow
import cognito_flow.testing

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

PUBLIC = {
    name: f"{package.__name__}.{name}"
    for package in (cognito_flow.testing, cognito_flow)
    for name in package.__all__
}

_INTEGRATIONS = (
    "alb",
    "api_gateway",
    "aws",
    "django",
    "fastapi",
    "flask",
    "requests",
    "httpx",  # after requests: a CognitoAuth is that of httpx, unless its module is named
    "rest_framework",
    "starlette",
)
# Classes of other modules.
OTHERS = {
    name: f"{module.__name__}.{name}"
    for module in map(
        import_module,
        (
            "cognito_flow.admin",
            "cognito_flow.compat.pycognito",
            *(f"cognito_flow.integrations.{name}" for name in _INTEGRATIONS),
        ),
    )
    for name in module.__all__
    if name[0].isupper() and name not in {"Cognito", "CognitoUser"}
}

# Where the reference explains names that only type checkers need.
ELSEWHERE = {
    "AccessRequirements": "cognito_flow.TokenVerifier.verify_access",
    "AsyncFlowOptions": "cognito_flow.AsyncAuthFlow",
    "AsyncVerifierOptions": "cognito_flow.AsyncTokenVerifier",
    "FlowOptions": "cognito_flow.AuthFlow",
    "Handler": "cognito_flow.CustomChallenge",
    "HeaderOptions": "cognito_flow.integrations.httpx.CognitoAuth",
    "IdRequirements": "cognito_flow.TokenVerifier.verify_id",
    "NamedHandler": "cognito_flow.CustomChallenge",
    "ReachableService": "cognito_flow.testing.LocalCognito",
    "VerifierOptions": "cognito_flow.TokenVerifier",
}
KNOWN = ELSEWHERE | PUBLIC | OTHERS

# What the guides call an instance of a class.
INSTANCES = {
    "account": cognito_flow.Account,
    "cognito": cognito_flow.testing.LocalCognito,
    "flow": cognito_flow.AuthFlow,
    "pool": cognito_flow.testing.Pool,
    "source": cognito_flow.TokenSource,
    "verifier": cognito_flow.TokenVerifier,
}


def target_of(text: str) -> str | None:
    """The public name that code in a page means: `AuthFlow`, `AuthFlow.start`, `flow.start(credentials)`."""
    found = re.fullmatch(
        r"(?:except |case |await )?((?:cognito_flow\.(?:[a-z_]\w*\.)*)?)(\w+)((?:\.\w+)?)(?:\(.*\).*)?", text
    )
    if found is None:
        return None
    module, name, member = found.groups()
    if module:
        return f"{module}{name}{member}"
    if name in INSTANCES and hasattr(INSTANCES[name], member.removeprefix(".") or "-"):
        name = INSTANCES[name].__name__
    known = KNOWN.get(name)
    return None if known is None else known + member


def resolve(
    app: Sphinx, env: BuildEnvironment, missing: pending_xref, shown: nodes.TextElement
) -> nodes.reference | None:
    """Find a name whose module the reference does not say; and for an attribute without an entry, its class."""
    found = re.search(r"(?:^|\.)([A-Z]\w*)((?:\.\w+)?)$", missing["reftarget"])
    known = KNOWN.get(found[1]) if found else None
    if missing.get("refdomain") != "py" or found is None or known is None:
        return None
    for target in (known + found[2], known):
        link = env.domains.python_domain.resolve_xref(
            env, missing["refdoc"], app.builder, "obj", target, missing, shown
        )
        if link is not None:
            return link
    return None


def link_names(app: Sphinx, tree: nodes.document) -> None:
    """Make a link of each public name that a page writes as code."""
    for literal in list(tree.findall(nodes.literal)):
        target = target_of(literal.astext())
        if target is None or isinstance(literal.parent, (nodes.reference, nodes.title, pending_xref)):
            continue
        link = pending_xref(
            "",
            refdomain="py",
            reftype="obj",
            reftarget=target,
            refexplicit=True,
            refwarn=False,
        )
        link["refdoc"] = app.env.docname
        literal.replace_self(link)
        link += literal


def hide_private_bases(
    _app: Sphinx, _name: str, _object: object, _options: object, bases: list[type]
) -> None:
    """Name only base classes that have a place in the reference."""

    def is_private(base: type) -> bool:
        return base.__module__.startswith("cognito_flow") and base.__name__ not in PUBLIC

    bases[:] = [base for base in bases if not is_private(base)] or [object]


def name_aliases() -> None:
    """Make a class of each union, so that a signature names it, with a link, in place of its sixteen members."""
    named = {
        name: type(name, (), {"__module__": "cognito_flow"}) for name in ("Challenge", "Credentials", "Step")
    }
    unions = {name: getattr(cognito_flow, name) for name in named}
    asked, answer = named["Challenge"], cognito_flow.Answer | None
    flow = sys.modules["cognito_flow.flow"]
    unions |= {"Ask": vars(flow)["Ask"], "AsyncAsk": vars(flow)["AsyncAsk"]}
    shown = {
        **named,
        "Ask": Callable[[asked], answer],  # as the module defines it
        "AsyncAsk": Callable[[asked], Awaitable[answer] | answer],
    }
    modules = [module for name, module in sys.modules.items() if name.startswith("cognito_flow")]
    for module in modules:
        for name, union in unions.items():
            if vars(module).get(name) is union:
                setattr(module, name, shown[name])


def name_store_types() -> None:
    """Name the protocols in the signatures of the flows, in place of the type variables that stand for them."""
    flow = cognito_flow.AuthFlow
    (generic,) = (base for base in flow.__bases__ if not base.__module__.startswith("typing"))
    hints = get_type_hints(generic.__init__)
    for name in ("store", "devices"):
        (variable,) = (part for part in hints[name].__args__ if isinstance(part, TypeVar))
        generic.__init__.__annotations__[name] = variable.__bound__ | None


def is_made_by_the_library(kind: type) -> bool:
    """Whether programs get instances of a class and make none: its docstring, and that of the class of the same name
    without "Async", document no argument of the constructor."""
    twin = getattr(sys.modules[kind.__module__], kind.__name__.removeprefix("Async"), kind)
    document = f"{inspect.getdoc(kind)}\n{inspect.getdoc(twin)}"
    return kind in {cognito_flow.testing.Pool, cognito_flow.testing.User} or not any(
        re.search(rf"^ +{name}:", document, re.MULTILINE) for name in inspect.signature(kind).parameters
    )


def show_signature(
    _app: Sphinx, what: str, _name: str, shown: object, _options: object, arguments: str | None, returns: str
) -> tuple[str | None, str]:
    """Hide what a reader cannot use: constructors that the library calls, catch-all keywords, addresses of functions."""
    if isinstance(shown, type) and what in {"class", "exception"} and arguments not in {None, "()"}:
        if is_made_by_the_library(shown):
            return "", returns
        arguments = re.sub(r", \*\*unknown\b", "", arguments or "")
    return re.sub(r"=(<[^>]*>|NOTHING)", "=...", arguments or "") or arguments, returns


def drop_modules(_app: Sphinx, _domain: str, _kind: str, content: desc_content) -> None:
    """Name a type without the module that defines it, where that is private or programs import it from another one."""

    def shorter(found: re.Match[str]) -> str:
        is_private = "._" in found[1]
        return found[2] if is_private or found[2] in PUBLIC else found[0]

    for text in list(content.findall(nodes.Text)):
        if "cognito_flow." in text:
            new = re.sub(r"~?\b(cognito_flow\.[\w.]+)\.([A-Z]\w*)", shorter, text)
            text.parent.replace(text, nodes.Text(new))


def drop_return_type(_app: Sphinx, _domain: str, kind: str, content: desc_content) -> None:
    """A constructor returns nothing; autodoc says so at each exception."""
    if kind != "exception":
        return
    for field in list(content.findall(nodes.field)):
        if field[0].astext().startswith(("rtype", "Return type")):
            field.parent.remove(field)


# Napoleon reads the text of an attribute, and that of a return value, up to a colon as its type: hide the colons while it works.
_COLON, _HIDDEN = ":", "\ue000"


def hide_colons(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Hide the colons of the first paragraph of an attribute, and of a section "Returns"."""
    start = 0
    if what not in {"attribute", "data", "property"}:
        if "Returns:" not in lines:
            return
        start = lines.index("Returns:") + 1
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    lines[start:end] = [line.replace(_COLON, _HIDDEN) for line in lines[start:end]]


def show_colons(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Show the colons again."""
    lines[:] = [line.replace(_HIDDEN, _COLON) for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the functions above."""
    name_aliases()
    name_store_types()
    app.connect("doctree-read", link_names)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-bases", hide_private_bases)
    app.connect("autodoc-process-signature", show_signature)
    app.connect("object-description-transform", drop_return_type, priority=900)
    app.connect("object-description-transform", drop_modules, priority=900)
    app.connect("autodoc-process-docstring", hide_colons, priority=400)
    app.connect("autodoc-process-docstring", show_colons, priority=600)
    # A change of this file makes Sphinx read all pages again.
    version = crc32(Path(__file__).read_bytes())
    return {"env_version": version, "parallel_read_safe": True, "parallel_write_safe": True}

"""The gates of this project: `nox` runs the quick ones, `nox -s everything` the others.

This is the only list of them (`nox --list` shows it): CI calls these sessions and nothing else. What a gate
checks is configured in pyproject.toml.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import nox
from nox.command import CommandFailed

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# A session without a Python of its own runs on the one that runs nox: one Python is enough to pass the gates.
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = [python for python in PYTHONS if python != OWN]
EVERY_EXTRA = f".[{','.join(PYPROJECT['project']['optional-dependencies'])}]"
# Whole files go to one worker, because each example of a page builds on the one before.
PARALLEL = ("-nauto", "--maxprocesses=8", "--dist=loadfile")

LOCK = "requirements-development.txt"

# The tests of parsers, and the fuzzer that is guided by coverage.
FUZZED = [
    "tests/account/test_hostile_responses.py",
    "tests/flow/test_models.py",
    "tests/flow/test_seal.py",
    "tests/fuzz",
    "tests/handlers/test_handlers.py",
    "tests/integrations/test_token_header.py",
    "tests/stores/test_file.py",
    "tests/stores/test_keyring.py",
    "tests/tokens/test_keys.py",
    "tests/tokens/test_verifier.py",
]
ATHERIS = "atheris>=3"

# Their base classes come from a package without types.
UNTYPED_BASES = {"cognito_flow.integrations.rest_framework.CognitoAuthentication"}

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests", "docs"]

# pyenv's shims refuse to start a version that is not activated: let nox find the interpreters behind them.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
FOUND = [str(directory) for python in PYTHONS for directory in sorted(PYENV.glob(f"versions/{python}.*/bin"))]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *FOUND])


def group(name: str) -> tuple[str, ...]:
    """The requirements of one of pyproject.toml's dependency groups."""
    return nox.project.dependency_groups(PYPROJECT, name)


def install(session: nox.Session, *requirements: str) -> None:
    """Install requirements, unless a kept environment has them: pip takes seconds to find that out."""
    record = Path(session.virtualenv.location, "installed.json")
    wanted = json.dumps([PYPROJECT, requirements])
    if record.exists() and record.read_text(encoding="utf-8") == wanted:
        session.log("installed; pyproject.toml has not changed since")
        return
    record.unlink(missing_ok=True)
    # None: `nox -R` has skipped it.
    if session.run_install("python", "-m", "pip", "install", *requirements, silent=True) is not None:
        record.write_text(wanted, encoding="utf-8")


def run_quick_tests(session: nox.Session) -> None:
    """Run the tests that need no other programs and little time."""
    session.run(
        "python", "-m", "pytest", *PARALLEL, "-m", "not slow and not other_programs", *session.posargs
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check rules and format with ruff."""
    install(session, *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, and the package with pyright, too; `public_types` checks all with it."""
    install(session, "-e", EVERY_EXTRA, *group("types"))
    with ThreadPoolExecutor() as both:  # each uses one core
        commands = (["mypy"], ["pyright", "cognito_flow"])
        checks = [both.submit(session.run, *command, silent=True) for command in commands]
    for check in checks:
        check.result()  # raises what failed; nox has printed what it said


@nox.session
def public_types(session: nox.Session) -> None:
    """Check all with pyright, README's examples with both type checkers, and the types of public names."""
    session.install(EVERY_EXTRA, *group("types"))
    session.run("pyright")
    session.run("python", "-m", "pytest", "-q", "tests/docs/test_readme_types.py")
    # Away from the checkout, so that pyright looks at the installed package.
    session.chdir(session.create_tmp())
    verify = ("pyright", "--verifytypes", "cognito_flow", "--ignoreexternal", "--outputjson")
    complete = json.loads(str(session.run(*verify, silent=True, success_codes=[0, 1])))["typeCompleteness"]
    session.log(f"verifytypes: {complete['exportedSymbolCounts']}")
    untyped = {symbol["name"] for symbol in complete["symbols"] if not symbol["isTypeKnown"]} - UNTYPED_BASES
    if untyped or complete["exportedSymbolCounts"]["withKnownType"] == 0:
        session.error(f"without a complete type: {sorted(untyped) or 'no public name was found at all'}")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the quick tests on the Python that runs nox."""
    install(session, "-e", EVERY_EXTRA, *group("tests"))
    run_quick_tests(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests, those that are slow or need other programs included; every branch must run."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    session.run("coverage", "erase")
    # pytest-cov would start too late: pytest imports the package's own plugin before any other.
    thorough = "--hypothesis-profile=thorough"
    session.run("coverage", "run", "-m", "pytest", *PARALLEL, thorough, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    if not session.posargs:
        session.run("coverage", "report")


@nox.session(python=OTHERS)
def tests_others(session: nox.Session) -> None:
    """Run the quick tests on the other supported Pythons; one that is not installed is skipped."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    run_quick_tests(session)


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """Run the quick tests on the lowest version of each dependency that pyproject.toml allows."""
    project = PYPROJECT["project"]
    bounds = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    lowest = Path(session.create_tmp()) / "lowest.txt"
    lowest.write_text("\n".join(bound.replace(">=", "==") for bound in bounds), encoding="utf-8")
    session.install("-e", EVERY_EXTRA, *group("tests"), "-c", str(lowest))
    run_quick_tests(session)


@nox.session
def tests_newest(session: nox.Session) -> None:
    """Run the quick tests on the newest botocore, without aiobotocore, which holds it back."""
    session.install("-e", ".[cli,httpx,keyring,requests,testing]", *group("tests"))
    session.run("python", "-c", "import botocore; print('botocore', botocore.__version__)")
    run_quick_tests(session)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken reference is an error."""
    install(session, "-e", EVERY_EXTRA, *group("docs"))
    # Only pages that changed are read again; all are written (-a), so that every reference is looked up.
    built = ("docs", "docs/_build")
    try:
        session.run("sphinx-build", "-a", "-W", "--keep-going", "-q", "-j", "auto", *built)
    except CommandFailed:
        shutil.rmtree(built[1])  # what was read with a warning would be read without one the next time
        raise


@nox.session
def bench(session: nox.Session) -> None:
    """Measure this package beside others, and late proofs; `-- --write` writes the table for the docs."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    session.run("python", "-m", "tests.benchmarks", *session.posargs)
    session.run("python", "-m", "pytest", "-q", "-s", "tests/benchmarks/test_late_proofs.py")


@nox.session
def bench_quick(session: nox.Session) -> None:
    """Measure the ratios only, in two minutes at most; fails if one is off by more than half."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    session.run("python", "-m", "tests.benchmarks", "--quick")


@nox.session
def tests_locked(session: nox.Session) -> None:
    """Run the quick tests on exactly the files whose hashes requirements-development.txt holds."""
    session.install("--require-hashes", "-r", LOCK)
    session.install("--no-deps", "--no-build-isolation", ".")
    run_quick_tests(session)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements-development.txt again, with the newest versions that pyproject.toml allows."""
    session.install(*group("release"))
    groups = chain.from_iterable(("--group", name) for name in PYPROJECT["dependency-groups"])
    # For all systems, from the lowest Python on. The header would show how this machine was called.
    everywhere = ("--universal", "--python-version", PYTHONS[0], "--generate-hashes", "--no-header")
    session.run(
        "uv",
        "pip",
        "compile",
        "-q",
        "--upgrade",
        *everywhere,
        "--all-extras",
        *groups,
        "-o",
        LOCK,
        "pyproject.toml",
    )


@nox.session
def audit(session: nox.Session) -> None:
    """Look up known vulnerabilities of the locked versions; where the database is out of reach, say so."""
    session.install(*group("release"))
    # The pins are complete, so that pip is not needed to resolve them. Exit code 1 is a finding or a failure.
    command = (
        "pip-audit",
        "--disable-pip",
        "--require-hashes",
        "-r",
        LOCK,
        "-f",
        "json",
        "--progress-spinner",
        "off",
    )
    printed = str(session.run(*command, silent=True, success_codes=[0, 1], stderr=subprocess.DEVNULL))
    report = printed[printed.find("{") :] if "{" in printed else "{}"
    looked_up = [found for found in json.loads(report).get("dependencies", []) if "vulns" in found]
    if not looked_up:
        session.warn("NOT AUDITED: the database of vulnerabilities cannot be reached from here")
    for found in looked_up:
        for vulnerability in found["vulns"]:
            session.warn(f"{found['name']} {found['version']}: {vulnerability['id']}")
    if any(found["vulns"] for found in looked_up):
        session.error("update the versions above: nox -s lock")
    session.log(f"{len(looked_up)} packages looked up")


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel, the source distribution and a CycloneDX list of what the wheel needs into dist/."""
    session.install(*group("release"))
    session.run("python", "-m", "build", "--outdir", "dist")
    environment = session.create_tmp()
    python = str(Path(environment) / ("Scripts" if os.name == "nt" else "bin") / "python")
    session.run("python", "-m", "venv", "--clear", "--without-pip", environment)
    wheel = max(Path("dist").glob("*.whl"), key=os.path.getmtime)
    session.run("python", "-m", "pip", "--python", python, "install", "--quiet", str(wheel))
    described = ("--pyproject", "pyproject.toml", "--mc-type", "library", "--output-reproducible")
    session.run("cyclonedx-py", "environment", *described, "-o", "dist/sbom.cdx.json", python)


@nox.session
def conformance(session: nox.Session) -> None:
    """Run scenarios against another server, or the real service, and compare: `-- --help` says how."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    session.run("python", "-m", "tests.conformance", *session.posargs)


@nox.session
def matrix(session: nox.Session) -> None:
    """Run the whole fault matrix, and write its table into docs/explanation/reliability.md."""
    session.install("-e", EVERY_EXTRA, *group("tests"))
    results = Path(session.create_tmp()) / "matrix.jsonl"
    results.unlink(missing_ok=True)
    session.env["COGNITO_FLOW_MATRIX"] = str(results)
    session.run("python", "-m", "pytest", "-q", "-m", "slow", "tests/faults/test_matrix.py")
    session.run("python", "-m", "tests.faults.page", str(results))


@nox.session
def soak(session: nox.Session) -> None:
    """Sign in, refresh, seal, cancel and store under random faults, for ten minutes (`-- --seconds 60`)."""
    session.install("-e", ".[aio,testing]")
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz each parser: 10,000 examples of hypothesis, then a minute of atheris each.

    With arguments (`-- --seconds 4`), only atheris runs, for so many seconds each.
    """
    if session.posargs:
        session.install("-e", ".[testing]")
    else:
        session.install("-e", EVERY_EXTRA, *group("tests"))
        run = ("python", "-m", "pytest", "-q", "--hypothesis-profile=fuzz", "-m", "hypothesis")
        session.run(*run, *FUZZED, *PARALLEL)
    # There are wheels for Linux and the older Pythons only.
    session.run("python", "-m", "pip", "install", "-q", "--only-binary=:all:", ATHERIS, success_codes=[0, 1])
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change one thing at a time in the core; each part's tests must notice (`-- --part FILE`)."""
    session.install(EVERY_EXTRA, *group("tests"), "mutmut>=3.8")
    session.run("python", "-m", "tests.mutants", session.create_tmp(), *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the command's demonstration from the built wheel, with nothing installed but what it declares."""
    session.install(".[cli,testing]")
    session.chdir(session.create_tmp())
    session.run("cognito-flow", "demo")


@nox.session(python=False)
def everything(session: nox.Session) -> None:
    """Run what `nox` leaves out: coverage, public types, other dependencies, another Python, ratios, demo,
    audit, and a minute of the soak and of the fuzzer."""
    # The newest other Python that is installed: .github/workflows/gates.yml runs the tests on all of them.
    others = [f"tests_others-{python}" for python in OTHERS if shutil.which(f"python{python}")][-1:]
    first = ("coverage", "public_types", "tests_lowest", "tests_newest")
    for name in (*first, *others, "bench_quick", "demo", "audit"):
        session.notify(name)
    # A gate does the same each time, so that it fails because of a change.
    session.notify("soak", ["--seconds", "60", "--seed", "1"])
    session.notify("fuzz", ["--seconds", "4", "--seed", "1"])

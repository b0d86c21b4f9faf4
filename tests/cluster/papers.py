"""What is written down for operators, read by the tests as operators read it: commands in a document, a unit of systemd."""

import re
import shlex

from harness import ROOT

DEPLOY = ROOT / "deploy"


def blocks(heading, path="docs/operations/cluster.md"):
    """The commands in the steps under a heading: a list of scripts for each number."""
    text = (ROOT / path).read_text()
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section, f"no heading {heading!r} in {path}"
    steps = re.split(r"^\d+\. ", section[1], flags=re.M)[1:]
    found = [re.findall(r"(?:^ {7,}\S.*\n(?:\n(?= {7}))?)+", step, re.M) for step in steps]
    return [[re.sub(r"^ {7}", "", block, flags=re.M) for block in step] for step in found]


def unit(name="doorward.service"):
    """The settings of a unit; of those that are said twice, the last."""
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Za-z]+=", line))


def environment(text):
    """The variables in an EnvironmentFile="""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    return {name: "".join(shlex.split(value)) for name, value in (line.split("=", 1) for line in lines)}
